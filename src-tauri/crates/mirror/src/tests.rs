mod faults;
mod journal;
mod killed;
mod opening;
mod readings;
mod rows;
mod scene;
