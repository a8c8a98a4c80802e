//! Byte strings for serde: as one run of bytes, where serde by itself would take a list of numbers, one
//! by one. The encoding is the same (`docs/FORMAT.md`: length, then the bytes), the time is not: entries
//! and batches have hundreds of thousands of them.
//!
//! For fields: `#[serde(with = "musubi_ledger::bytes")]` on a `Vec<u8>`, `bytes::list` on a `Vec<Vec<u8>>`.

use core::fmt;

use serde::{Deserializer, Serializer, de};

/// Writes a byte string.
///
/// # Errors
/// Of the serialiser.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads a byte string.
///
/// # Errors
/// Of the deserialiser.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(Bytes)
}

struct Bytes;

impl<'de> de::Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

/// Lists of byte strings.
pub mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};

    /// Writes a list of byte strings.
    ///
    /// # Errors
    /// Of the serialiser.
    pub fn serialize<S: Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(list.len()))?;
        for bytes in list {
            seq.serialize_element(&Run(bytes))?;
        }
        seq.end()
    }

    /// Reads a list of byte strings.
    ///
    /// # Errors
    /// Of the deserialiser.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let list = Vec::<Owned>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|owned| owned.0).collect())
    }

    struct Run<'b>(&'b [u8]);

    impl Serialize for Run<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Owned(#[serde(with = "super")] Vec<u8>);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::{Deserialize, Serialize};

    use crate::codec;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Plain(Vec<u8>, Vec<Vec<u8>>);

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Runs(#[serde(with = "super")] Vec<u8>, #[serde(with = "super::list")] Vec<Vec<u8>>);

    #[test]
    fn the_encoding_is_that_of_a_list_of_numbers() {
        let (one, many) = (vec![1, 2, 255], vec![vec![], vec![7; 300]]);
        let plain = codec::encode(&Plain(one.clone(), many.clone()));
        let runs = Runs(one, many);
        assert_eq!(codec::encode(&runs), plain);
        assert_eq!(codec::decode::<Runs>(&plain, 4_096).unwrap(), runs);
        for cut in 0..plain.len() {
            assert!(codec::decode::<Runs>(&plain[..cut], 4_096).is_err(), "cut at {cut}");
        }
        // A claimed length costs nothing before it is found to be missing.
        let huge = u64::MAX.to_le_bytes();
        assert!(codec::decode::<Runs>(&huge, 4_096).is_err());
    }
}
