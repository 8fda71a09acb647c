//! Compares a chain with signed checkpoints while it is walked.

use std::collections::VecDeque;

use holdfast_model::{Timestamp, format_timestamp};
use holdfast_store::Link;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::checkpoint::{Checkpoint, Statement};

/// Checkpoints of one fleet that a walk has yet to meet, by sequence number.
#[derive(Debug, Default)]
pub struct Anchors {
    ahead: VecDeque<Statement>,
    met: usize,
    before: usize,
    latest: Option<Statement>,
}

/// How a chain compares with its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AnchorReport {
    /// Checkpoints that agree with the chain.
    pub agree: usize,
    /// Checkpoints of events before the first event of the chain, which cannot be compared.
    pub before_first: usize,
    /// When the latest of those that agree was signed.
    pub latest_at: Option<Timestamp>,
    /// The last event that it covers.
    pub latest_seq: Option<i64>,
    /// Events that no checkpoint covers yet.
    pub newer_events: i64,
}

impl Anchors {
    /// The checkpoints, in any order.
    pub fn new(checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        let mut ahead: Vec<Statement> = checkpoints.into_iter().map(|of| of.statement).collect();
        ahead.sort_by_key(|statement| (statement.seq, statement.at));
        Self { ahead: ahead.into(), ..Self::default() }
    }

    /// The walk begins after `start`: the origin, or the last event that was removed with its month.
    pub fn begin(&mut self, start: &Link) -> Result<(), String> {
        while self.ahead.pop_front_if(|ahead| ahead.seq < start.seq).is_some() {
            self.before += 1;
        }
        self.meet(start)
    }

    /// The walk reached this event.
    pub fn meet(&mut self, link: &Link) -> Result<(), String> {
        while let Some(statement) = self.ahead.pop_front_if(|ahead| ahead.seq <= link.seq) {
            if (statement.seq, statement.hash.as_str()) != (link.seq, link.hash.as_str()) {
                return Err(self.contradicts(&statement));
            }
            self.met += 1;
            self.latest = Some(statement);
        }
        Ok(())
    }

    /// The walk ended with this event.
    pub fn end(self, last: &Link) -> Result<AnchorReport, String> {
        if let Some(Statement { seq, at, .. }) = self.ahead.front() {
            let at = format_timestamp(*at);
            return Err(format!(
                "the audit ends with event {}, and the checkpoint of {at} covers event {seq}: events were removed at \
                 its end",
                last.seq
            ));
        }
        let covered = self.latest.as_ref().map_or(0, |latest| latest.seq);
        Ok(AnchorReport {
            agree: self.met,
            before_first: self.before,
            latest_at: self.latest.as_ref().map(|latest| latest.at),
            latest_seq: self.latest.as_ref().map(|latest| latest.seq),
            newer_events: last.seq - covered,
        })
    }

    fn contradicts(&self, statement: &Statement) -> String {
        let Statement { seq, at, .. } = statement;
        let since = match &self.latest {
            Some(latest) => format!("after event {}, which the checkpoint before it covers,", latest.seq),
            None => "before it".to_owned(),
        };
        format!(
            "audit event {seq} differs from the one that the checkpoint of {} covers: events {since} were changed or removed \
             and the hashes computed again",
            format_timestamp(*at)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::tests::{key, statement};
    use super::*;

    fn anchors(of: &[(i64, &str)]) -> Anchors {
        let key = key();
        Anchors::new(of.iter().map(|(seq, hash)| Checkpoint::sign(statement(*seq, hash), &key)))
    }

    fn link(seq: i64, hash: &str) -> Link {
        Link { seq, previous: String::new(), hash: hash.to_owned() }
    }

    fn walk(anchors: &mut Anchors, links: &[Link]) -> Result<(), String> {
        anchors.begin(&Link::origin())?;
        links.iter().try_for_each(|link| anchors.meet(link))
    }

    #[test]
    fn a_chain_that_agrees_says_how_far_it_is_covered() {
        let links = [link(1, "a"), link(2, "b"), link(3, "c")];
        let mut anchors = anchors(&[(2, "b"), (0, &Link::origin().hash), (2, "b")]);
        walk(&mut anchors, &links).unwrap();
        let report = anchors.end(&links[2]).unwrap();
        assert_eq!((report.agree, report.latest_seq, report.newer_events), (3, Some(2), 1));
    }

    #[test]
    fn an_event_that_is_another_one_and_an_end_that_is_missing_are_found() {
        let links = [link(1, "a"), link(2, "x")];
        let error = walk(&mut anchors(&[(1, "a"), (2, "b")]), &links).unwrap_err();
        assert!(
            error.starts_with("audit event 2 differs from the one") && error.contains("after event 1"),
            "{error}"
        );
        let mut short = anchors(&[(1, "a"), (3, "c")]);
        walk(&mut short, &links).unwrap();
        let error = short.end(&links[1]).unwrap_err();
        assert!(error.starts_with("the audit ends with event 2, and the checkpoint of "), "{error}");
    }

    #[test]
    fn checkpoints_of_removed_months_are_counted_and_their_end_is_compared() {
        let mut before = anchors(&[(3, "c"), (5, "e"), (6, "f")]);
        before.begin(&link(5, "e")).unwrap();
        before.meet(&link(6, "f")).unwrap();
        let report = before.end(&link(6, "f")).unwrap();
        assert_eq!((report.before_first, report.agree), (1, 2));
        assert!(anchors(&[(5, "e")]).begin(&link(5, "x")).is_err());
    }
}
