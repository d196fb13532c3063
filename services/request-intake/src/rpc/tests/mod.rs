mod fakes;
mod reading;
mod recompute;
mod stage;
mod submit;
