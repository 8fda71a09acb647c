//! Enums with serialized names: the names of variants in rows, events and output.

/// Declares an enum whose variants have names in snake case, the same in serde, `Display`, `FromStr` and `as_str`.
///
/// `words!(Name)` adds `ALL` and `as_str` to an enum that derives strum's traits itself, for names that Azure defines.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($variants:tt)* }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema, strum::Display, strum::EnumCount, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($variants)* }

        words!($name);
    };
    ($name:ident) => {
        impl $name {
            /// Every variant, in the order of its declaration.
            pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] = {
                let variants = <Self as strum::VariantArray>::VARIANTS;
                let mut all = [variants[0]; <Self as strum::EnumCount>::COUNT];
                let mut index = 0;
                while index < all.len() {
                    all[index] = variants[index];
                    index += 1;
                }
                all
            };

            /// The name in rows, events and output.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;

    use crate::schedule::MissReason;
    use crate::{
        Call, Cause, DatabaseKind, DepartureReason, FrequencyUnit, Origin, Outcome, Priority, RefreshReason,
        RunKind, StateCode, Trigger, Verification,
    };

    fn written<T: Serialize + Copy + Debug>(all: &[T], word: impl Fn(T) -> &'static str) {
        for &value in all {
            assert_eq!(serde_json::to_value(value).unwrap(), word(value), "{value:?}");
        }
    }

    #[test]
    fn every_name_is_the_serialized_name_of_rows_and_events() {
        written(&Call::ALL, Call::as_str);
        written(&Cause::ALL, Cause::as_str);
        written(&DatabaseKind::ALL, DatabaseKind::as_str);
        written(&DepartureReason::ALL, DepartureReason::as_str);
        written(&FrequencyUnit::ALL, FrequencyUnit::as_str);
        written(&MissReason::ALL, MissReason::as_str);
        written(&Origin::ALL, Origin::as_str);
        written(&Outcome::ALL, Outcome::as_str);
        written(&Priority::ALL, Priority::as_str);
        written(&RefreshReason::ALL, RefreshReason::as_str);
        written(&RunKind::ALL, RunKind::as_str);
        written(&StateCode::ALL, StateCode::as_str);
        written(&Trigger::ALL, Trigger::as_str);
        written(&Verification::ALL, Verification::as_str);
    }
}
