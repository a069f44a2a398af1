//! Writes values in ClickHouse's RowBinary: little-endian numbers, length-prefixed text, a byte before a nullable.

/// Writes a number of up to 64 bits in base 128, low digits first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // The low seven bits, marked as not the last.
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the columns of one row, in their order. One method a column type, so that a row reads like its table.
#[derive(Debug)]
pub(crate) struct RowWriter<'a>(pub(crate) &'a mut Vec<u8>);

impl RowWriter<'_> {
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(crate) fn bool(&mut self, value: bool) -> &mut Self {
        self.u8(u8::from(value))
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// UTC milliseconds since 1970 are what a `DateTime64(3)` holds.
    pub(crate) fn instant_ms(&mut self, value: i64) -> &mut Self {
        self.i64(value)
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        put_varint(self.0, value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    pub(crate) fn optional_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            None => self.u8(1),
            Some(value) => self.u8(0).text(value),
        }
    }

    pub(crate) fn optional_i64(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            None => self.u8(1),
            Some(value) => self.u8(0).i64(value),
        }
    }

    pub(crate) fn optional_instant_ms(&mut self, value: Option<i64>) -> &mut Self {
        self.optional_i64(value)
    }

    pub(crate) fn optional_bool(&mut self, value: Option<bool>) -> &mut Self {
        match value {
            None => self.u8(1),
            Some(value) => self.u8(0).bool(value),
        }
    }

    /// The length of an array or a map; its items follow.
    pub(crate) fn items(&mut self, count: usize) -> &mut Self {
        put_varint(self.0, count as u64);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_grow_at_each_seventh_bit() {
        for (value, bytes) in [
            (0_u64, &[0_u8][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out, bytes, "{value}");
        }
    }

    #[test]
    fn columns_follow_each_other_without_padding() {
        let mut out = Vec::new();
        RowWriter(&mut out)
            .u32(1)
            .text("ab")
            .optional_text(None)
            .optional_i64(Some(-1))
            .optional_bool(Some(true));
        assert_eq!(
            out,
            [
                1, 0, 0, 0, 2, b'a', b'b', 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 1
            ]
        );
    }
}
