//! Which partition a key belongs to, as Kafka's clients choose it: all events of a ticket must lie in one.

/// A client's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Partitioner {
    /// Java clients, Kafka Connect, Flink, `slawatch generate`; librdkafka's `murmur2_random`.
    Murmur2,
    /// librdkafka's default, `consistent_random`: clients for Python, Go, .NET, Node and Rust unless told otherwise.
    Crc32,
}

impl Partitioner {
    /// The partition of `key` among `partitions` (at least 1).
    pub fn partition(self, key: &[u8], partitions: u32) -> u32 {
        match self {
            Self::Murmur2 => (murmur2(key) & 0x7fff_ffff) % partitions,
            Self::Crc32 => crc32fast::hash(key) % partitions,
        }
    }
}

/// MurmurHash2 by Austin Appleby, 32 bits, with the seed that Kafka's Java client takes.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        // From the tests of librdkafka, whose results are those of Java.
        for (key, hash) in [
            ("kafka", 0xd067_cf64),
            ("giberish123456789", 0x8f55_2b0c),
            ("1234", 0x9fc9_7b14),
            ("234", 0xe7c0_09ca),
            ("34", 0x8739_30da),
            ("4", 0x5a4b_5ca1),
            ("PreAmbleWillBeRemoved,ThePrePartThatIs", 0x7842_4f1c),
            ("", 0x106e_08d9),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn crc32_is_that_of_zlib() {
        // The check value of CRC-32 for "123456789" is 0xcbf43926.
        assert_eq!(
            Partitioner::Crc32.partition(b"123456789", 1000),
            0xcbf4_3926 % 1000
        );
    }
}
