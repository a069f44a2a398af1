//! ClickHouse's HTTP interface in front of the engine as a library: requests in, statements run, results streamed out. Only
//! the process that `slawatch-devstack clickhouse` starts runs this; the library half of the crate talks to it by HTTP.

mod block;
mod engine;
mod failure;
mod library;
mod request;
mod run;
mod statement;

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};

use engine::Engine;
use failure::Failure;
use library::Counters;
use request::{BodyReader, Options};
use run::{Head, Outlet};
use statement::{Shape, shape};

/// A statement that comes in the body must begin to be recognisable within this; only an INSERT may be longer.
const HEAD_LIMIT_BYTES: usize = 256 << 10;
/// No statement without data is longer.
const QUERY_LIMIT_BYTES: usize = 64 << 20;
/// Pieces under way between engine and socket.
const PIECES_IN_FLIGHT: usize = 4;

/// How to run the server.
#[derive(Clone, Debug)]
pub(crate) struct ServerOptions {
    /// The folder of the tables.
    pub(crate) data: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub(crate) port: u16,
    /// The library's file.
    pub(crate) library: PathBuf,
    /// What the engine may use, in bytes.
    pub(crate) max_memory_bytes: u64,
}

/// Serves until the process ends; `ready` is told the port once requests are answered.
///
/// # Errors
/// A text saying what to do: library, folder or port cannot be used.
pub(crate) async fn serve(
    options: ServerOptions,
    ready: impl FnOnce(u16),
) -> Result<Infallible, String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port))
        .await
        .map_err(|error| {
            format!(
                "port {} cannot be used: {error}; choose another, or 0 for a free one",
                options.port
            )
        })?;
    let port = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .port();
    let opened = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&options.data)
            .map_err(|error| format!("{} cannot be made: {error}", options.data.display()))?;
        Engine::open(&options.library, &options.data, options.max_memory_bytes)
    });
    let engine = opened.await.map_err(|error| error.to_string())??;
    tracing::info!(version = engine.version(), port, "ClickHouse is ready");
    let app = Router::new()
        .route("/ping", get(async || "Ok.\n"))
        .route("/replicas_status", get(async || "Ok.\n"))
        .route("/", get(landing).post(handle))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::new(engine));
    ready(port);
    let listener = listener.tap_io(|socket| {
        // Without it small answers wait for the client's delayed acknowledgement.
        socket.set_nodelay(true).ok();
    });
    match axum::serve(listener, app).await {
        Ok(()) => Err("the server stopped".to_owned()),
        Err(error) => Err(format!("the server stopped: {error}")),
    }
}

/// A GET without a statement is a health check.
async fn landing(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    if request.uri().query().is_none_or(str::is_empty) && request.method() == Method::GET {
        return "Ok.\n".into_response();
    }
    handle(State(engine), request).await
}

async fn handle(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    match request::read(request).await {
        Ok((options, body)) => {
            let tag = engine.tag(&options);
            let query_id = options.query_id.clone().unwrap_or_else(|| tag.clone());
            let mut response = match answer(engine, options, body, tag).await {
                Ok(response) => response,
                Err(failure) => failed(&failure),
            };
            if let Ok(value) = HeaderValue::from_str(&query_id) {
                response
                    .headers_mut()
                    .insert("x-clickhouse-query-id", value);
            }
            response
        }
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> Response {
    let status =
        StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        ("content-type", "text/plain; charset=UTF-8".to_owned()),
        ("x-clickhouse-exception-code", failure.code.to_string()),
    ];
    (status, headers, format!("{}\n", failure.message)).into_response()
}

async fn answer(
    engine: Arc<Engine>,
    options: Options,
    mut body: BodyReader,
    tag: String,
) -> Result<Response, Failure> {
    let mut text = options.query.clone().into_bytes();
    let mut complete = false;
    if text.is_empty() {
        complete = body.fill(&mut text, HEAD_LIMIT_BYTES).await?;
    }
    let insert = match shape(&valid_prefix(&text)) {
        Shape::Insert {
            head_len,
            format,
            data_at,
        } => Some((head_len, format, data_at)),
        Shape::Other { .. } => None,
    };
    let mut cancel = CancelOnDrop {
        engine: Arc::clone(&engine),
        tag: Some(tag.clone()),
    };
    let permit = engine.permit().await?;
    let (head_sender, head) = oneshot::channel();
    let (piece_sender, pieces) = mpsc::channel(PIECES_IN_FLIGHT);
    let outlet = Outlet {
        head: head_sender,
        pieces: piece_sender,
    };
    if let Some((head_len, format, data_at)) = insert {
        let (data_sender, data) = mpsc::channel(PIECES_IN_FLIGHT);
        let inline = Bytes::from(text.split_off(data_at));
        text.truncate(head_len);
        let sql = String::from_utf8(text).map_err(Failure::bad_arguments)?;
        let engine = Arc::clone(&engine);
        tokio::task::spawn_blocking(move || {
            run::insert(&engine, &options, &tag, (&sql, &format), data, outlet);
            drop(permit);
        });
        feed(data_sender, inline, body).await;
    } else {
        if !complete {
            complete = body.fill(&mut text, QUERY_LIMIT_BYTES).await?;
        }
        if !complete {
            return Err(Failure::new(
                229,
                "QUERY_IS_TOO_LARGE",
                format_args!("The query has more than {QUERY_LIMIT_BYTES} bytes"),
            ));
        }
        let sql = String::from_utf8(text).map_err(|error| {
            Failure::bad_arguments(format_args!("The query is not UTF-8: {error}"))
        })?;
        let engine = Arc::clone(&engine);
        tokio::task::spawn_blocking(move || {
            run::query(&engine, &options, &tag, &sql, outlet);
            drop(permit);
        });
    }
    match head.await {
        Ok(Ok(head)) => Ok(succeeded(&engine, &head, pieces, cancel)),
        Ok(Err(failure)) => {
            cancel.disarm();
            Err(failure)
        }
        Err(_) => Err(Failure::internal(
            "the statement's thread ended without an answer",
        )),
    }
}

/// As much of the text as is UTF-8: binary data may follow an INSERT.
fn valid_prefix(text: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(text) {
        Ok(text) => text.into(),
        Err(error) => String::from_utf8_lossy(&text[..error.valid_up_to()]),
    }
}

/// Hands the body to the statement's thread, and says with an empty piece that it was whole.
async fn feed(sender: mpsc::Sender<Result<Bytes, Failure>>, inline: Bytes, mut body: BodyReader) {
    let mut next = Ok(Some(inline).filter(|inline| !inline.is_empty()));
    loop {
        next = match next {
            Ok(Some(piece)) => {
                if sender.send(Ok(piece)).await.is_err() {
                    // The statement failed; a client hears of it only once it has sent everything.
                    while let Ok(Some(_)) = body.next().await {}
                    return;
                }
                body.next().await
            }
            Ok(None) => match body.next().await {
                Ok(None) => {
                    sender.send(Ok(Bytes::new())).await.ok();
                    return;
                }
                other => other,
            },
            Err(failure) => {
                sender.send(Err(failure)).await.ok();
                return;
            }
        };
    }
}

fn succeeded(
    engine: &Engine,
    head: &Head,
    pieces: mpsc::Receiver<Result<Bytes, Failure>>,
    cancel: CancelOnDrop,
) -> Response {
    let tag = "slawatchdevstack";
    let content_type = match head.format.as_str() {
        format if format.starts_with("JSONEachRow") || format == "NDJSON" => {
            "application/x-ndjson; charset=UTF-8"
        }
        format if format.starts_with("JSON") => "application/json; charset=UTF-8",
        format if format.starts_with("CSV") => "text/csv; charset=UTF-8; header=absent",
        format if format.starts_with("RowBinary") || format == "Native" => {
            "application/octet-stream"
        }
        format if format.starts_with("TabSeparated") || format.starts_with("TSV") => {
            "text/tab-separated-values; charset=UTF-8"
        }
        _ => "text/plain; charset=UTF-8",
    };
    let mut response = Body::from_stream(Pieces {
        pieces,
        exception_tag: tag,
        cancel,
        phase: Phase::Flowing,
    })
    .into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert("x-clickhouse-exception-tag", HeaderValue::from_static(tag));
    if let Ok(timezone) = HeaderValue::from_str(engine.timezone()) {
        headers.insert("x-clickhouse-timezone", timezone);
    }
    if let Ok(format) = HeaderValue::from_str(&head.format) {
        headers.insert("x-clickhouse-format", format);
    }
    if let Some(summary) = head
        .counters
        .and_then(|counters| HeaderValue::from_str(&summary(counters)).ok())
    {
        headers.insert("x-clickhouse-summary", summary);
    }
    response
}

fn summary(counters: Counters) -> String {
    let Counters {
        read_rows,
        read_bytes,
        written_rows,
        written_bytes,
        result_rows,
    } = counters;
    format!(
        "{{\"read_rows\":\"{read_rows}\",\"read_bytes\":\"{read_bytes}\",\"written_rows\":\"{written_rows}\",\
         \"written_bytes\":\"{written_bytes}\",\"result_rows\":\"{result_rows}\"}}"
    )
}

/// Stops the statement unless it was told that the end was reached.
struct CancelOnDrop {
    engine: Arc<Engine>,
    tag: Option<String>,
}

impl CancelOnDrop {
    fn disarm(&mut self) {
        self.tag = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(tag) = self.tag.take() else { return };
        let engine = Arc::clone(&self.engine);
        tokio::task::spawn_blocking(move || engine.kill(&tag));
    }
}

/// The body of a good answer.
struct Pieces {
    pieces: mpsc::Receiver<Result<Bytes, Failure>>,
    exception_tag: &'static str,
    cancel: CancelOnDrop,
    phase: Phase,
}

/// How long the text of a failure has to reach its client before the connection breaks: what is still buffered then is
/// lost, and a client that is slow to read would see a broken connection without its reason.
const FLUSH_TIME: std::time::Duration = std::time::Duration::from_secs(2);

enum Phase {
    Flowing,
    /// The text of the failure was handed out and must reach the client before the connection breaks.
    Flushing(Pin<Box<tokio::time::Sleep>>),
}

impl Stream for Pieces {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Phase::Flushing(time) = &mut self.phase {
            std::task::ready!(time.as_mut().poll(context));
            self.cancel.disarm();
            return Poll::Ready(Some(Err(std::io::Error::other(
                "the statement failed after its answer had begun",
            ))));
        }
        match std::task::ready!(self.pieces.poll_recv(context)) {
            Some(Ok(piece)) => Poll::Ready(Some(Ok(piece))),
            Some(Err(failure)) => {
                self.phase = Phase::Flushing(Box::pin(tokio::time::sleep(FLUSH_TIME)));
                let tag = self.exception_tag;
                let message = format!("{}\n", failure.message);
                let text = format!(
                    "\r\n__exception__\r\n{tag}\r\n{message}{} {tag}\r\n__exception__\r\n",
                    message.len()
                );
                Poll::Ready(Some(Ok(Bytes::from(text))))
            }
            None => {
                self.cancel.disarm();
                Poll::Ready(None)
            }
        }
    }
}
