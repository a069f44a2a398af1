//! A request of ClickHouse's HTTP interface, taken apart: statement, settings, parameters and the stream of its body.

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, Multipart, Query, Request};
use axum::http::Method;
use bytes::Bytes;
use futures_util::StreamExt;

use super::block::BlockDecoder;
use super::failure::Failure;

/// URL parameters that are no settings of the engine and need nothing from this front.
const IGNORED: [&str; 14] = [
    "user",
    "password",
    "role",
    "quota_key",
    "session_id",
    "session_timeout",
    "session_check",
    "compress",
    "buffer_size",
    "stacktrace",
    "client_protocol_version",
    "close_session",
    "enable_http_compression",
    "cancel_http_readonly_queries_on_client_close",
];

/// What a request asks for, apart from its body.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The statement, or its beginning: the body goes on with it.
    pub(crate) query: String,
    pub(crate) database: Option<String>,
    pub(crate) default_format: Option<String>,
    pub(crate) query_id: Option<String>,
    pub(crate) wait_end_of_query: bool,
    /// Bound to `{name:Type}` in the statement.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) settings: Vec<(String, String)>,
    /// A GET may not change anything.
    pub(crate) read_only: bool,
    decompress: bool,
}

impl Options {
    fn take(&mut self, name: String, value: String) -> Result<(), Failure> {
        let flag = || value != "0" && !value.eq_ignore_ascii_case("false");
        match name.as_str() {
            "query" => self.query = value,
            "database" => self.database = (!value.is_empty()).then_some(value),
            "default_format" => self.default_format = (!value.is_empty()).then_some(value),
            "query_id" => self.query_id = (!value.is_empty()).then_some(value),
            "wait_end_of_query" => self.wait_end_of_query = flag(),
            "decompress" => self.decompress = flag(),
            ignored if IGNORED.contains(&ignored) => {}
            other => {
                if let Some(parameter) = other.strip_prefix("param_") {
                    self.parameters.push((parameter.to_owned(), value));
                } else if other
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
                {
                    self.settings.push((name, value));
                } else {
                    return Err(Failure::new(
                        115,
                        "UNKNOWN_SETTING",
                        format_args!("Unknown setting '{other}'"),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Takes a request apart; a multipart body is read here and leaves no body behind.
pub(crate) async fn read(request: Request) -> Result<(Options, BodyReader), Failure> {
    let Query(pairs) =
        Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map_err(|error| {
            Failure::bad_arguments(format_args!("The URL's parameters cannot be read: {error}"))
        })?;
    let mut options = Options {
        read_only: request.method() == Method::GET,
        ..Options::default()
    };
    options.database = header(&request, "x-clickhouse-database");
    options.default_format = header(&request, "x-clickhouse-format");
    for (name, value) in pairs {
        options.take(name, value)?;
    }
    if let Some(encoding) =
        header(&request, "content-encoding").filter(|encoding| encoding != "identity")
    {
        return Err(Failure::new(
            48,
            "NOT_IMPLEMENTED",
            format_args!(
                "Content-Encoding: {encoding} is not understood here: send plain bodies, or LZ4 blocks with decompress=1"
            ),
        ));
    }
    let multipart = header(&request, "content-type")
        .is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if multipart {
        read_multipart(request, &mut options).await?;
        return Ok((options, BodyReader::new(Body::empty(), false)));
    }
    let decompress = options.decompress;
    Ok((options, BodyReader::new(request.into_body(), decompress)))
}

fn header(request: &Request, name: &str) -> Option<String> {
    request
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

async fn read_multipart(request: Request, options: &mut Options) -> Result<(), Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::bad_arguments(format_args!("The multipart body cannot be read: {error}"))
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| unreadable(&error))?;
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|error| unreadable(&error))?
    {
        let name = part.name().unwrap_or_default().to_owned();
        if name != "query" && !name.starts_with("param_") {
            return Err(Failure::new(
                48,
                "NOT_IMPLEMENTED",
                format_args!(
                    "External tables are not implemented here: the multipart field '{name}' is neither query nor param_*"
                ),
            ));
        }
        let value = part.text().await.map_err(|error| unreadable(&error))?;
        options.take(name, value)?;
    }
    Ok(())
}

/// The body in pieces, unpacked.
pub(crate) struct BodyReader {
    stream: BodyDataStream,
    blocks: Option<BlockDecoder>,
    ended: bool,
}

impl std::fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyReader")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl BodyReader {
    fn new(body: Body, decompress: bool) -> Self {
        Self {
            stream: body.into_data_stream(),
            blocks: decompress.then(BlockDecoder::default),
            ended: false,
        }
    }

    /// The next piece that is not empty; `None` at the end of a whole body.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while !self.ended {
            let Some(piece) = self.stream.next().await else {
                self.ended = true;
                if let Some(blocks) = &self.blocks {
                    blocks.finish()?;
                }
                break;
            };
            let piece = piece.map_err(|error| {
                Failure::new(
                    210,
                    "NETWORK_ERROR",
                    format_args!("The client went away before the end of the body: {error}"),
                )
            })?;
            let piece = match &mut self.blocks {
                Some(blocks) => Bytes::from(blocks.push(&piece)?),
                None => piece,
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Appends pieces to `text` until it has `limit` bytes or the body ends. True at the end.
    pub(crate) async fn fill(&mut self, text: &mut Vec<u8>, limit: usize) -> Result<bool, Failure> {
        while text.len() < limit {
            match self.next().await? {
                Some(piece) => text.extend_from_slice(&piece),
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}
