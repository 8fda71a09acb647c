//! Rows of `app_days`.

use holdfast_model::PolicyName;

use crate::app_days::{AppDay, DayCounts};
use crate::error::Result;
use crate::sql::row::{FromRow, Row};

impl FromRow for AppDay {
    const TABLE: &'static str = "app_days";
    const KEY: &'static [&'static str] = &["app", "day"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let counts = DayCounts {
            good: row.count("good")?,
            partial: row.count("partial")?,
            failed: row.count("failed")?,
            missed: row.count("missed")?,
        };
        Ok(Self {
            day: row.parse("day")?,
            app: row.parse("app")?,
            policy: row.maybe_text("policy")?.map(PolicyName::new),
            counts,
            bytes: row.maybe_int("bytes")?,
        })
    }
}
