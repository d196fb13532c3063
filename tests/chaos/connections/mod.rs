//! What strangers, and callers with odd certificates, do with connections: each of their states ends, nobody keeps others out,
//! and everyone is told what is the matter. A calendar stands for every service: the kit accepts for all of them.

mod authority;
mod certificates;
mod leaving;
mod limits;
mod outside;
mod protocol;
mod stage;
mod states;
mod wire;
