//! Bytes of a snapshot: LEB128 numbers and length-prefixed text, read back with every length checked.

/// Writes values one after another.
#[derive(Debug)]
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned((value << 1 ^ value >> 63) as u64);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.unsigned(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged("a number is too long"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Damaged> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> Result<u64, Damaged> {
        let value = self.unsigned()?;
        if value < limit {
            Ok(value)
        } else {
            Err(Damaged("a number is out of its range"))
        }
    }

    /// How many items follow; each takes a byte at least, so that no length can ask for more memory than there is data.
    pub(crate) fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.unsigned()?;
        if count <= self.0.len() as u64 {
            Ok(count as usize)
        } else {
            Err(Damaged("a length goes beyond the end"))
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| Damaged("a text is not UTF-8"))
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Damaged>,
    ) -> Result<Option<T>, Damaged> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Damaged("a flag is neither 0 nor 1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_undoes_writing(a in any::<u64>(), b in any::<i64>(), c in ".{0,20}", d in any::<Option<i64>>()) {
            let mut bytes = Vec::new();
            let mut writer = Writer(&mut bytes);
            writer.unsigned(a);
            writer.signed(b);
            writer.text(&c);
            writer.option(d, Writer::signed);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.unsigned(), Ok(a));
            prop_assert_eq!(reader.signed(), Ok(b));
            prop_assert_eq!(reader.text(), Ok(&*c));
            prop_assert_eq!(reader.option(Reader::signed), Ok(d));
            prop_assert!(reader.0.is_empty());
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(
            Reader(&[0xff; 10]).unsigned(),
            Err(Damaged("a number is too long"))
        );
        assert_eq!(
            Reader(&[0x80]).unsigned(),
            Err(Damaged("it ends too early"))
        );
        assert_eq!(
            Reader(&[5, b'a']).text(),
            Err(Damaged("a length goes beyond the end"))
        );
    }
}
