//! Tests of the model's public face.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cron_reference;
mod cron_texts;
mod schedules;
mod zones;
