//! The processes of a server.
//!
//! A process group does not contain all of them: each backend of PostgreSQL leads its own group. A backend that
//! survives the server keeps its shared memory, and then the next server refuses to start.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::step;

/// A running process. Zombies do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    group: u32,
}

/// Pauses the leaders, their descendants and the members of their groups, and returns all of them.
///
/// A process that runs during the search could start others, so the search pauses what it finds and repeats.
pub fn pause(leaders: &[u32]) -> Result<BTreeSet<u32>> {
    let mut paused = BTreeSet::new();
    loop {
        let found = members(leaders, &processes()?);
        let running: BTreeSet<u32> = found.difference(&paused).copied().collect();
        if running.is_empty() {
            return Ok(paused);
        }
        signal(&running, "STOP");
        paused.extend(running);
    }
}

/// Continues paused processes.
pub fn resume(leaders: &[u32]) -> Result<()> {
    signal(&members(leaders, &processes()?), "CONT");
    Ok(())
}

/// Whether one of the processes runs.
pub fn any_runs(members: &BTreeSet<u32>) -> Result<bool> {
    Ok(processes()?.iter().any(|process| members.contains(&process.id)))
}

/// Sends a signal, by its name without `SIG`.
pub fn signal(members: &BTreeSet<u32>, signal: &str) {
    if members.is_empty() {
        return;
    }
    let ids: Vec<_> = members.iter().map(ToString::to_string).collect();
    let kill = format!("kill -{signal} {}", ids.join(" "));
    // An error means that a process has ended.
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

fn members(leaders: &[u32], processes: &[Process]) -> BTreeSet<u32> {
    let mut members = BTreeSet::new();
    loop {
        let is_member = |process: &&Process| {
            let leads = leaders.contains(&process.id) || leaders.contains(&process.group);
            leads || members.contains(&process.parent)
        };
        let found: BTreeSet<u32> = processes.iter().filter(is_member).map(|process| process.id).collect();
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
    // A process that ends during the search has no file.
    let stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    Ok(stats.filter_map(|stat| read(&without_name(&stat)?)).collect())
}

/// Removes the name from `id (name) state parent group …` (proc(5)). A name can contain spaces and brackets.
fn without_name(stat: &str) -> Option<String> {
    let ((id, _), (_, rest)) = (stat.split_once(" (")?, stat.rsplit_once(") ")?);
    Some(format!("{id} {rest}"))
}

/// Parses `id state parent group …`.
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
    fn members_descend_from_the_leaders_or_share_their_groups() {
        let (leader, child, grandchild) = (process(10, 1, 10), process(12, 10, 12), process(9, 12, 12));
        let orphan = process(20, 1, 10);
        let others = [process(1, 0, 1), process(11, 1, 11), process(13, 11, 11)];
        let all = [grandchild, orphan, leader, child, others[0], others[1], others[2]];
        assert_eq!(members(&[10], &all), BTreeSet::from([9, 10, 12, 20]));
        // The leader has ended, and its group is still found.
        assert_eq!(members(&[10], &[orphan, others[0]]), BTreeSet::from([20]));
        assert_eq!(members(&[], &all), BTreeSet::new());
    }

    #[test]
    fn a_name_with_brackets_is_skipped_and_zombies_do_not_count() {
        let stat = "42 (a) 7 (b) S 10 12 12 0 -1";
        assert_eq!(read(&without_name(stat).unwrap()), Some(process(42, 10, 12)));
        assert_eq!(read(&without_name("42 (sh) Z 10 12 12 0 -1").unwrap()), None);
        assert_eq!(read(" 42 Ss+  10   12"), Some(process(42, 10, 12)));
    }

    #[test]
    fn this_process_runs() {
        assert!(any_runs(&BTreeSet::from([std::process::id()])).unwrap());
    }
}
