//! Bytes for serde: in runs, where serde by itself would take a list of numbers, one by one. The encoding is
//! the same (`docs/FORMAT.md`), the time is not: entries and batches have hundreds of thousands of them,
//! and a transfer dozens of ids, keys and hashes.
//!
//! For fields: `#[serde(with = "musubi_ledger::bytes")]` on a `Vec<u8>`, `bytes::list` on a `Vec<Vec<u8>>`,
//! `bytes::array` on a `[u8; 16]`, `[u8; 32]` or `[u8; 64]`.

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

/// A hash: hexadecimal digits where humans read, else its 32 bytes.
pub mod digest {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    /// Writes a hash.
    ///
    /// # Errors
    /// Of the serialiser.
    pub fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&hex::encode(hash));
        }
        hash.serialize(serializer)
    }

    /// Reads a hash.
    ///
    /// # Errors
    /// Of the deserialiser, or if they are not 64 lower-case digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        let decoded = hex::decode_to_slice(&text, &mut hash);
        let exact = decoded.is_ok() && text == hex::encode(hash);
        if exact {
            Ok(hash)
        } else {
            Err(D::Error::custom("expected 64 lower-case hexadecimal digits"))
        }
    }
}

/// Arrays of bytes, of a multiple of sixteen.
pub mod array {
    use core::fmt;

    use serde::{
        Deserialize, Deserializer, Serializer,
        de::{Error as _, SeqAccess, Visitor},
        ser::SerializeTuple,
    };

    /// Writes an array: as bytes where humans read, else as 128-bit numbers, whose little-endian encoding is
    /// the bytes as they are.
    ///
    /// # Errors
    /// Of the serialiser.
    pub fn serialize<const N: usize, S: Serializer>(
        array: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        const { assert!(N.is_multiple_of(16)) };
        if serializer.is_human_readable() {
            let mut tuple = serializer.serialize_tuple(N)?;
            for byte in array {
                tuple.serialize_element(byte)?;
            }
            return tuple.end();
        }
        let mut tuple = serializer.serialize_tuple(N / 16)?;
        for word in array.as_chunks().0 {
            tuple.serialize_element(&u128::from_le_bytes(*word))?;
        }
        tuple.end()
    }

    /// Reads an array.
    ///
    /// # Errors
    /// Of the deserialiser.
    pub fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        const { assert!(N.is_multiple_of(16)) };
        if deserializer.is_human_readable() {
            deserializer.deserialize_tuple(N, By(u8::to_le_bytes))
        } else {
            deserializer.deserialize_tuple(N / 16, By(u128::to_le_bytes))
        }
    }

    /// Reads `N` bytes by numbers of `W` bytes each.
    struct By<T, const N: usize, const W: usize>(fn(T) -> [u8; W]);

    impl<'de, T: Deserialize<'de>, const N: usize, const W: usize> Visitor<'de> for By<T, N, W> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u8; N], A::Error> {
            let mut bytes = [0; N];
            for (at, run) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
                let number = seq.next_element()?;
                let number = number.ok_or_else(|| A::Error::invalid_length(W * at, &self))?;
                *run = (self.0)(number);
            }
            Ok(bytes)
        }
    }
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

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct PlainArrays([u8; 16], [u8; 32]);

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Arrays(
        #[serde(with = "super::array")] [u8; 16],
        #[serde(with = "super::array")] [u8; 32],
    );

    #[test]
    fn arrays_encode_as_their_bytes() {
        let (short, long) = (core::array::from_fn(|n| n as u8), core::array::from_fn(|n| !n as u8));
        let arrays = Arrays(short, long);
        let plain = PlainArrays(short, long);
        let bytes = codec::encode(&plain);
        assert_eq!(bytes, [&short[..], &long[..]].concat());
        assert_eq!(codec::encode(&arrays), bytes);
        assert_eq!(codec::decode::<Arrays>(&bytes, 64).unwrap(), arrays);
        for cut in 0..bytes.len() {
            assert!(codec::decode::<Arrays>(&bytes[..cut], 64).is_err(), "cut at {cut}");
        }
        let text = serde_json::to_string(&arrays).unwrap();
        assert_eq!(text, serde_json::to_string(&plain).unwrap());
        assert_eq!(serde_json::from_str::<Arrays>(&text).unwrap(), arrays);
    }

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
