//! Why a request is not done, as JSON for programs and as a page for people. Each says what to do.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;

use crate::act::{Mistake, Mistakes, WriteError};
use crate::metrics;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nobody is known, and somebody must be.
    #[error(
        "this needs a token: send it as \"Authorization: Bearer …\", or log in at /login; board.access.tokens in the \
         configuration says who has one"
    )]
    NoToken,
    /// Nobody can be known.
    #[error(
        "nobody may act here, since no token is configured: name people in board.access.tokens of the configuration, or say \
         board.access.open = true if everybody who reaches this board may act"
    )]
    NobodyMay,
    /// A token that nobody has.
    #[error("nobody has this token; use the one in board.access.tokens of the configuration")]
    WrongToken,
    /// Somebody who may only look.
    #[error("{0} may look and not act; give that token role = \"act\" in board.access.tokens")]
    MayNotAct(String),
    /// A foreign page made a browser send it.
    #[error(
        "this came from another web site and was not done; if it is the board's own address, write that as dispatcher.board_url in the \
         configuration"
    )]
    Foreign,
    /// The form's secret is not that of its cookie.
    #[error(
        "this form is of another session and nothing was done; load the page again and repeat it (programs with a session \
         cookie send the header X-CSRF-Token)"
    )]
    OldForm,
    /// Too often.
    #[error("too many requests; wait {0} s")]
    TooMany(u64),
    /// Fields are wrong.
    #[error("{0}")]
    Mistakes(Mistakes),
    /// The body is none.
    #[error("{0}")]
    Body(String),
    /// The body is JSON, and does not say so.
    #[error("the body's kind is unknown; send JSON with Content-Type: application/json")]
    Kind,
    /// There is no such thing.
    #[error("{0}")]
    Unknown(String),
    /// It is not so any more.
    #[error("{0}")]
    Over(String),
    /// A link in a message that does nothing.
    #[error("{0}")]
    Link(String),
    /// The log.
    #[error("{0}")]
    Write(WriteError),
    /// The system has no random numbers.
    #[error("the system gives no random numbers, without which nothing is signed; look at its log")]
    NoChance,
}

#[derive(Serialize)]
struct Told<'a> {
    error: String,
    #[serde(skip_serializing_if = "<[Mistake]>::is_empty")]
    mistakes: &'a [Mistake],
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::NobodyMay
            | Self::MayNotAct(_)
            | Self::Foreign
            | Self::OldForm
            | Self::Link(_) => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Mistakes(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Over(_) | Self::Write(WriteError::OtherAction(_)) => StatusCode::CONFLICT,
            Self::Write(WriteError::Refused(_) | WriteError::Unanswered) | Self::NoChance => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// For the metric; none where it is no matter of access.
    fn why(&self) -> Option<&'static str> {
        match self {
            Self::NoToken | Self::NobodyMay => Some("no_token"),
            Self::WrongToken => Some("wrong_token"),
            Self::MayNotAct(_) => Some("view_only"),
            Self::Foreign | Self::OldForm => Some("foreign_site"),
            Self::Link(_) => Some("link"),
            Self::TooMany(_) => Some("too_many"),
            Self::Mistakes(_)
            | Self::Body(_)
            | Self::Kind
            | Self::Unknown(_)
            | Self::Over(_)
            | Self::Write(_)
            | Self::NoChance => None,
        }
    }

    /// With its status and headers.
    pub(crate) fn with_body(&self, body: Response) -> Response {
        if let Some(why) = self.why() {
            metrics::refused(why);
        }
        let mut response = body;
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        if let Self::TooMany(wait_s) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(*wait_s));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    pub(crate) fn json(&self) -> Response {
        let (error, mistakes) = match self {
            Self::Mistakes(Mistakes(mistakes)) => (
                "some fields are wrong; mistakes says which, and what to write".to_owned(),
                mistakes.as_slice(),
            ),
            other => (other.to_string(), &[][..]),
        };
        self.with_body(Json(Told { error, mistakes }).into_response())
    }
}

impl From<Mistakes> for Refusal {
    fn from(mistakes: Mistakes) -> Self {
        Self::Mistakes(mistakes)
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}
