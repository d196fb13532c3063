//! Copies on their way to a recipient's inbox, while processes are killed and stopped and the line is cut.

mod inbox;
mod large;
mod sender;
mod stage;
