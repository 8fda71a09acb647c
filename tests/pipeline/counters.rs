//! What became of everything that was asked for, counted as Jepsen's set test does.

use std::collections::BTreeMap;
use std::fmt;

/// Sums over one test. What is wrong is kept in words.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Ticks that the schedule owes, and runs that people asked for.
    pub attempted: usize,
    /// Of these, the ones that the store has taken on.
    pub acknowledged: usize,
    /// Ticks without a run, runs without an end, backups told that Azure never took on.
    pub lost: Vec<String>,
    /// Ticks with two runs, POSTs that Azure took on twice, blobs overwritten.
    pub duplicated: Vec<String>,
    /// Runs that ended although an answer was lost or an attempt failed.
    pub recovered: usize,
    /// Whatever else should not be: odd outcomes, backups that nobody announced, an audit that does not add up.
    pub unexpected: Vec<String>,
    /// How the runs ended.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// POSTs that Azure took on.
    pub posts: u64,
    /// Leases that passed: a message or a worker was lost, and the run came due again.
    pub leases_passed: u64,
}

impl Counters {
    /// Fails unless nothing is lost, doubled or unexpected.
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
