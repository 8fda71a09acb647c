//! The client over real HTTP, against a server that answers as each test says.

mod answers;
mod clouds;
mod credentials;
mod hostile;
mod pages;
mod recordings;
mod secrets;
mod server;
mod tokens;
mod wire;
