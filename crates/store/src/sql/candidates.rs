//! The due runs at the front of lanes.

use holdfast_model::Lane;

use crate::error::Result;
use crate::rules::acquire::{Candidate, Page};
use crate::sql::row::{FromRow, Row};

/// The page of a lane to read.
pub(crate) type Asked<'a> = (&'a Lane, Page);

/// A candidate, and the place of its lane among those asked for.
pub(crate) struct Front {
    place: usize,
    candidate: Candidate,
}

/// Separates the candidates of `count` lanes. They keep their order.
pub(crate) fn by_lane(fronts: Vec<Front>, count: usize) -> Vec<Vec<Candidate>> {
    let mut lanes: Vec<Vec<Candidate>> = (0..count).map(|_| Vec::new()).collect();
    for Front { place, candidate } in fronts {
        if let Some(lane) = lanes.get_mut(place) {
            lane.push(candidate);
        }
    }
    lanes
}

impl FromRow for Front {
    const KEY: &'static [&'static str] = Candidate::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        let place = usize::try_from(row.int("place")?).unwrap_or(usize::MAX);
        Ok(Self { place, candidate: Candidate::read(row)? })
    }
}

impl FromRow for Candidate {
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("id")?,
            version: row.int("version")?,
            priority: row.priority("priority")?,
            due_at: row.time("due_at")?,
            app: row.text("app")?,
            is_occupied: row.bool("is_occupied")?,
        })
    }
}
