//! The simulated Azure from outside: its quirks, its faults, its replay, and its two skins.

mod support;

mod at_once;
mod faults;
mod http;
mod in_process;
mod quirks;
mod replay;
mod storage;
