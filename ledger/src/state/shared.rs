//! Rows that are handed around by handle: reading one copies a pointer, changing one copies it first where
//! somebody else still holds it.

use core::{
    fmt,
    ops::{Deref, DerefMut},
};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that may be held in several places at once, and is the same in all of them for as long as nobody
/// changes it: whoever does gets a copy of its own (copy on write). Encodes as the value alone.
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// A first handle on `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: Clone> Shared<T> {
    /// The value itself: copied where somebody else still holds it.
    #[must_use]
    pub fn into_value(this: Self) -> T {
        Arc::unwrap_or_clone(this.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::codec;

    #[test]
    fn a_change_is_not_seen_through_other_handles() {
        let first = Shared::new(vec![1, 2]);
        let mut second = first.clone();
        assert_eq!(first, second);
        second.push(3);
        assert_eq!((first.len(), second.len()), (2, 3));
        assert_ne!(first, second);
    }

    #[test]
    fn the_encoding_is_the_values() {
        let value = (7_u64, vec![1_u16, 2]);
        let bytes = codec::encode(&Shared::new(value.clone()));
        assert_eq!(bytes, codec::encode(&value));
        assert_eq!(*codec::decode::<Shared<(u64, Vec<u16>)>>(&bytes, 64).unwrap(), value);
    }
}
