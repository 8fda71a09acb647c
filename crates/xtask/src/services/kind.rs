//! The kinds of servers.

/// One kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Postgres,
    Rabbitmq,
    Azurite,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Rabbitmq, Self::Azurite];

    /// The name in facts, folders and supervisor commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Azurite => "azurite",
        }
    }
}
