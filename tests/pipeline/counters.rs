//! Counts of requested work and its results, in the manner of Jepsen's set test.

use std::collections::BTreeMap;
use std::fmt;

/// The counts of one test. Violations are descriptions.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Ticks that were due, and runs that the operator requested.
    pub attempted: usize,
    /// The attempted ones that have a run in the store.
    pub acknowledged: usize,
    /// Ticks without a run, runs without an end, reported backups that Azure never accepted.
    pub lost: Vec<String>,
    /// Ticks with two runs, POSTs that Azure accepted twice, blobs overwritten.
    pub duplicated: Vec<String>,
    /// Runs that ended after a lost response or a failed attempt.
    pub recovered: usize,
    /// Other violations: unexplained outcomes, backups without an announcement, an inconsistent audit.
    pub unexpected: Vec<String>,
    /// The number of runs by outcome.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// POSTs that Azure accepted.
    pub posts: u64,
    /// Expired leases. After one, the run is due again.
    pub leases_passed: u64,
}

impl Counters {
    /// Panics if anything is lost, duplicated or unexpected.
    pub(crate) fn demand(&self) {
        let wrong = || self.lost.iter().chain(&self.duplicated).chain(&self.unexpected);
        let few: Vec<&String> = wrong().take(20).collect();
        assert_eq!(wrong().count(), 0, "{self}\n{few:#?}");
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempted, acknowledged, recovered, outcomes, posts, leases_passed, .. } = self;
        let [lost, duplicated, unexpected] = [&self.lost, &self.duplicated, &self.unexpected].map(Vec::len);
        writeln!(
            f,
            "attempted {attempted}, acknowledged {acknowledged}, lost {lost}, duplicated {duplicated}, recovered {recovered}, unexpected {unexpected}"
        )?;
        write!(f, "{posts} POSTs accepted, {leases_passed} leases passed, outcomes {outcomes:?}")
    }
}
