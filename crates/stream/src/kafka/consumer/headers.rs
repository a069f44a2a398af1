//! The headers of a message, looked at only when somebody asks.

use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use crate::record::HeaderSource;

pub(super) struct MessageHeaders<'a>(pub(super) &'a BorrowedMessage<'a>);

impl HeaderSource for MessageHeaders<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        let headers = self.0.headers()?;
        let found = (0..headers.count())
            .rev()
            .filter_map(|index| headers.try_get(index))
            .find(|header| header.key == name)?;
        found.value
    }
}
