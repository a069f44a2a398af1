//! How a worker is set up. The defaults are what a role runs with; tests change intervals.

/// Names and intervals of one role's workers.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The role, for logs and metrics.
    pub role: String,
    /// The consumer group.
    pub group: String,
    /// The topic read.
    pub topic: String,
    /// The folder of the group's snapshots in the store (say `generation-1/tracker`).
    pub snapshot_folder: String,
    /// Most records taken in by one step.
    pub max_poll_records: usize,
    /// A partition is flushed after so many records, ...
    pub flush_records: u32,
    /// ... or so long after the last flush if there is anything to say, ...
    pub flush_ms: u64,
    /// ... and this often with nothing to say.
    pub progress_ms: u64,
    /// How often positions are committed.
    pub commit_ms: u64,
    /// How often a snapshot is taken of a partition that moves, ...
    pub snapshot_ms: u64,
    /// ... or after how many records, if that comes first.
    pub snapshot_records: u64,
    /// How many snapshots of a partition are kept.
    pub keep_snapshots: usize,
    /// How long a new owner may stay silent to catch up with what the last one may have said.
    pub catch_up_ms: u64,
    /// How long reading may stop for the clock to be written down.
    pub hold_ms: u64,
    /// Pause before something that failed is tried again.
    pub retry_ms: u64,
    /// Reading stops while more than this is sent but not acknowledged.
    pub max_unacknowledged_bytes: usize,
    /// Go on after records were removed unread, having said so; otherwise the partition stops.
    pub accept_gap: bool,
    /// How often the status is brought up to date.
    pub report_ms: u64,
}

impl WorkerConfig {
    /// The defaults for `role` reading `topic` as `group`.
    pub fn new(
        role: impl Into<String>,
        group: impl Into<String>,
        topic: impl Into<String>,
    ) -> Self {
        let group = group.into();
        Self {
            role: role.into(),
            snapshot_folder: group.clone(),
            group,
            topic: topic.into(),
            max_poll_records: 4096,
            flush_records: 50_000,
            flush_ms: 20,
            progress_ms: 100,
            commit_ms: 500,
            snapshot_ms: 30_000,
            snapshot_records: 5_000_000,
            keep_snapshots: 3,
            catch_up_ms: 1_000,
            hold_ms: 200,
            retry_ms: 1_000,
            max_unacknowledged_bytes: 64 << 20,
            accept_gap: false,
            report_ms: 1_000,
        }
    }
}
