//! The client over real HTTP, against a server that answers as each test says.
