//! The words that serde knows a choice by.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// The words of the choice `T`: the names that serde has for the variants of an enum, in their order.
pub(super) fn words<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut words: &[&str] = &[];
    // It asks for one of its variants, which is all that is wanted of it: none is given.
    let _ = T::deserialize(Asked(&mut words));
    words
}

/// The word that serde knows a variant of the choice `T` by; `variant` is its number in the order of the enum.
///
/// # Panics
///
/// If `T` has not so many variants.
pub(crate) fn word<T: DeserializeOwned>(variant: usize) -> &'static str {
    words::<T>()[variant]
}

struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is no value"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
