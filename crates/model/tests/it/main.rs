//! Tests of the model's public face.

mod cron_reference;
mod cron_texts;
mod schedules;
mod zones;
