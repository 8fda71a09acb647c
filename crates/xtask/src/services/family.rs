//! A server's processes. A process group does not hold them all: each of PostgreSQL's backends leads a group of its own,
//! and one that outlives the server keeps its shared memory, with which the next server refuses to start.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::step;

/// One that runs; those that have ended and wait to be reaped do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    group: u32,
}

/// The processes that descend from these or are in their groups, and they themselves. They all stand still: whoever runs
/// while they are counted may make more.
pub fn stand_still(leaders: &[u32]) -> Result<BTreeSet<u32>> {
    let mut still = BTreeSet::new();
    loop {
        let found = family(leaders, &processes()?);
        let moving: BTreeSet<u32> = found.difference(&still).copied().collect();
        if moving.is_empty() {
            return Ok(still);
        }
        signal(&moving, "STOP");
        still.extend(moving);
    }
}

/// Lets them go on.
pub fn go_on(leaders: &[u32]) -> Result<()> {
    signal(&family(leaders, &processes()?), "CONT");
    Ok(())
}

/// Whether one of them runs.
pub fn lives(members: &BTreeSet<u32>) -> Result<bool> {
    Ok(processes()?.iter().any(|process| members.contains(&process.id)))
}

pub fn signal(members: &BTreeSet<u32>, signal: &str) {
    if members.is_empty() {
        return;
    }
    let ids: Vec<_> = members.iter().map(ToString::to_string).collect();
    let kill = format!("kill -{signal} {}", ids.join(" "));
    // An error means that one has ended.
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

fn family(leaders: &[u32], processes: &[Process]) -> BTreeSet<u32> {
    let mut members = BTreeSet::new();
    loop {
        let belongs = |process: &&Process| {
            let leads = leaders.contains(&process.id) || leaders.contains(&process.group);
            leads || members.contains(&process.parent)
        };
        let found: BTreeSet<u32> = processes.iter().filter(belongs).map(|process| process.id).collect();
        if found == members {
            return members;
        }
        members = found;
    }
}

fn processes() -> Result<Vec<Process>> {
    let own = Path::new("/proc/self/stat");
    if !own.exists() {
        let columns = ["pid=", "stat=", "ppid=", "pgid="].map(|column| ["-o", column]);
        let table = step::output_of(Command::new("ps").arg("-A").args(columns.as_flattened()))?;
        return Ok(table.lines().filter_map(read).collect());
    }
    let entries = fs::read_dir("/proc").context("failed to list the processes")?;
    // One that ends while it is read is none.
    let stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    Ok(stats.filter_map(|stat| read(&without_name(&stat)?)).collect())
}

/// `proc(5)` writes `id (name) state parent group …`, and a name may hold spaces and brackets.
fn without_name(stat: &str) -> Option<String> {
    let ((id, _), (_, rest)) = (stat.split_once(" (")?, stat.rsplit_once(") ")?);
    Some(format!("{id} {rest}"))
}

/// `id state parent group …`
fn read(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    let (id, state) = (words.next()?.parse().ok()?, words.next()?);
    let process = Process { id, parent: words.next()?.parse().ok()?, group: words.next()?.parse().ok()? };
    (!state.starts_with(['Z', 'X'])).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: u32, parent: u32, group: u32) -> Process {
        Process { id, parent, group }
    }

    #[test]
    fn a_family_is_all_who_descend_from_its_leaders_or_share_their_groups() {
        let (leader, child, grandchild) = (process(10, 1, 10), process(12, 10, 12), process(9, 12, 12));
        let orphan = process(20, 1, 10);
        let others = [process(1, 0, 1), process(11, 1, 11), process(13, 11, 11)];
        let all = [grandchild, orphan, leader, child, others[0], others[1], others[2]];
        assert_eq!(family(&[10], &all), BTreeSet::from([9, 10, 12, 20]));
        // The leader has ended: its group is found all the same.
        assert_eq!(family(&[10], &[orphan, others[0]]), BTreeSet::from([20]));
        assert_eq!(family(&[], &all), BTreeSet::new());
    }

    #[test]
    fn a_name_with_brackets_is_passed_over_and_the_dead_do_not_count() {
        let stat = "42 (a) 7 (b) S 10 12 12 0 -1";
        assert_eq!(read(&without_name(stat).unwrap()), Some(process(42, 10, 12)));
        assert_eq!(read(&without_name("42 (sh) Z 10 12 12 0 -1").unwrap()), None);
        assert_eq!(read(" 42 Ss+  10   12"), Some(process(42, 10, 12)));
    }

    #[test]
    fn this_process_is_among_those_that_run() {
        assert!(lives(&BTreeSet::from([std::process::id()])).unwrap());
    }
}
