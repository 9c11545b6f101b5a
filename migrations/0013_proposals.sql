-- Another time that she has asked a booking's customer for, as the platform tells it. Empty where it takes no proposals,
-- or has not said so since this column is there.
ALTER TABLE bookings ADD COLUMN proposal TEXT;
