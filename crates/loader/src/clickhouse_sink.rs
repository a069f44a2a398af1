//! The sink that is ClickHouse: each attempt is one `INSERT`, run on a tokio runtime beside the reading thread.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use clickhouse::{Client, Compression};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::batch::{Batch, BatchId};
use crate::client::ClickHouseOptions;
use crate::core::Answer;
use crate::refusal::judge;
use crate::sink::Sink;
use crate::{LoaderError, metrics};

/// How long the server may take over one piece of a batch, and over its answer. An insert that takes longer is sent
/// again: repeating is harmless.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Inserts batches into the tables of one database.
pub struct ClickHouseSink {
    client: Client,
    database: String,
    runtime: Handle,
    under_way: usize,
    sender: Sender<(BatchId, Answer)>,
    receiver: Receiver<(BatchId, Answer)>,
}

impl fmt::Debug for ClickHouseSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouseSink")
            .field("database", &self.database)
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

impl ClickHouseSink {
    /// A sink whose requests run on `runtime`.
    ///
    /// # Errors
    /// As [`ClickHouseOptions::client`].
    pub fn new(options: &ClickHouseOptions, runtime: Handle) -> Result<Self, LoaderError> {
        let (sender, receiver) = channel();
        // Frames are compressed already: `decompress` says so to the server, and the client must not do it again.
        let client = options
            .client()?
            .with_compression(Compression::None)
            .with_setting("decompress", "1")
            .with_setting("async_insert", "0")
            .with_setting("insert_deduplicate", "1")
            .with_setting("wait_end_of_query", "1")
            // A source with a broken clock may spread its rows over many months.
            .with_setting("max_partitions_per_insert_block", "0");
        Ok(Self {
            client,
            database: options.database.clone(),
            runtime,
            under_way: 0,
            sender,
            receiver,
        })
    }
}

async fn insert(client: Client, database: String, batch: &Batch) -> clickhouse::error::Result<()> {
    let statement = format!(
        "INSERT INTO {database}.{} FORMAT RowBinaryWithNamesAndTypes",
        batch.table()
    );
    let mut insert = client
        .insert_formatted_with(statement)
        .with_setting("insert_deduplication_token", batch.token())
        .with_timeouts(Some(SEND_TIMEOUT), Some(ANSWER_TIMEOUT));
    for frame in batch.frames() {
        insert.send(frame.clone()).await?;
    }
    insert.end().await
}

impl Sink for ClickHouseSink {
    fn start(&mut self, batch: Batch) {
        let client = self.client.clone();
        let database = self.database.clone();
        let sender = self.sender.clone();
        self.under_way += 1;
        self.runtime.spawn(async move {
            let started = Instant::now();
            let answer = match insert(client, database, &batch).await {
                Ok(()) => Answer::Acknowledged,
                Err(error) => judge(&error),
            };
            metrics::insert_took(batch.table(), started.elapsed().as_secs_f64());
            // Nobody listens any more when the loader has ended.
            sender.send((batch.id(), answer)).ok();
        });
    }

    fn answers(&mut self, max_wait: Duration) -> Vec<(BatchId, Answer)> {
        let mut answers = Vec::new();
        if self.under_way > 0 && !max_wait.is_zero() {
            answers.extend(self.receiver.recv_timeout(max_wait));
        }
        answers.extend(self.receiver.try_iter());
        self.under_way -= answers.len();
        answers
    }
}
