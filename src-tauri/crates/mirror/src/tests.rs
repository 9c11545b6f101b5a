mod journal;
mod readings;
mod rows;
mod scene;
