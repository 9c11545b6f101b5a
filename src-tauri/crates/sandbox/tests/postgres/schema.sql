-- Today's database, as far as a vendor's client meets it: written from what is known of its tables, constraints, triggers,
-- functions and policies, defects included.

CREATE EXTENSION btree_gist;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;

CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid
$$;

CREATE TYPE booking_state AS ENUM
    ('quoted', 'hold_placed', 'provider_confirmed', 'receipt_issued', 'cancelled', 'refunded');

CREATE TABLE profiles (
    id uuid PRIMARY KEY,
    auth_user_id uuid UNIQUE NOT NULL,
    full_name text NOT NULL
);

CREATE TABLE services (
    id uuid PRIMARY KEY,
    provider_id uuid NOT NULL REFERENCES profiles,
    name text NOT NULL
);

CREATE TABLE availability_slots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    provider_id uuid NOT NULL REFERENCES profiles,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    is_available boolean NOT NULL DEFAULT true,
    slot_type text NOT NULL DEFAULT 'regular',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), -- no trigger keeps it
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT availability_slots_slot_type_check CHECK (slot_type IN ('regular', 'blocked', 'maintenance')),
    CONSTRAINT availability_slots_provider_time_key UNIQUE (provider_id, start_time, end_time),
    CONSTRAINT availability_slots_no_overlap
        EXCLUDE USING gist (provider_id WITH =, tstzrange(start_time, end_time) WITH &&) WHERE (is_available = true)
);

CREATE TABLE bookings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES profiles,
    provider_id uuid NOT NULL REFERENCES profiles,
    service_id uuid NOT NULL REFERENCES services,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    total_amount numeric(8, 2) NOT NULL,
    notes text,
    cancellation_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    state booking_state NOT NULL DEFAULT 'quoted',
    stripe_payment_intent_id text,
    confirmed_at timestamptz,
    vendor_created boolean NOT NULL DEFAULT false,
    CONSTRAINT bookings_status_check
        CHECK (status IN ('pending', 'confirmed', 'completed', 'cancelled', 'no_show')),
    CONSTRAINT bookings_confirmed_requires_payment
        CHECK (confirmed_at IS NULL OR stripe_payment_intent_id IS NOT NULL),
    CONSTRAINT bookings_no_overlap_provider_time
        EXCLUDE USING gist (provider_id WITH =, tstzrange(start_time, end_time) WITH &&)
        WHERE (status NOT IN ('cancelled', 'no_show'))
);

CREATE UNIQUE INDEX bookings_provider_time ON bookings (provider_id, start_time, end_time)
WHERE status NOT IN ('cancelled', 'no_show');

CREATE TABLE booking_audit (booking_id uuid, actor text);

CREATE TABLE ops_events (
    number bigint GENERATED ALWAYS AS IDENTITY,
    ts timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL DEFAULT 'prod' CHECK (source IN ('simcity', 'prod')),
    provider_id uuid,
    type text NOT NULL,
    payload jsonb NOT NULL
);

CREATE FUNCTION update_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER update_bookings_updated_at BEFORE UPDATE ON bookings
FOR EACH ROW EXECUTE FUNCTION update_updated_at();

CREATE FUNCTION prevent_unverified_confirmation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.status = 'confirmed' OR NEW.state = 'provider_confirmed')
        AND (NEW.stripe_payment_intent_id IS NULL OR NEW.confirmed_at IS NULL) THEN
        RAISE EXCEPTION 'Cannot confirm booking without payment intent. State: %, Status: %', NEW.state, NEW.status;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trg_prevent_unverified_confirmation BEFORE INSERT OR UPDATE ON bookings
FOR EACH ROW EXECUTE FUNCTION prevent_unverified_confirmation();

-- It asks the row for a column that the table does not have.
CREATE FUNCTION log_booking_state_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IS DISTINCT FROM NEW.state THEN
        INSERT INTO booking_audit VALUES (NEW.id, NEW.updated_by_type);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER log_booking_state_changes AFTER UPDATE ON bookings
FOR EACH ROW EXECUTE FUNCTION log_booking_state_changes();

CREATE FUNCTION ops_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO ops_events (provider_id, type, payload)
        VALUES (NEW.provider_id, 'booking_created', jsonb_build_object('booking_id', NEW.id));
    ELSIF NEW.status = 'cancelled' AND OLD.status <> 'cancelled' THEN
        INSERT INTO ops_events (provider_id, type, payload)
        VALUES (NEW.provider_id, 'booking_cancelled', jsonb_build_object('booking_id', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trg_ops_booking AFTER INSERT OR UPDATE ON bookings
FOR EACH ROW EXECUTE FUNCTION ops_booking();

-- Any change of a booking that stands opens its exact slot and closes it again; one that goes leaves it open.
CREATE FUNCTION sync_booking_slot_availability() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE availability_slots SET is_available = true
    WHERE provider_id = OLD.provider_id AND start_time = OLD.start_time AND end_time = OLD.end_time;
    IF TG_OP = 'UPDATE' AND NEW.status NOT IN ('cancelled', 'no_show') THEN
        UPDATE availability_slots SET is_available = false
        WHERE provider_id = NEW.provider_id AND start_time = NEW.start_time AND end_time = NEW.end_time;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trg_sync_booking_slot_availability AFTER UPDATE OR DELETE ON bookings
FOR EACH ROW EXECUTE FUNCTION sync_booking_slot_availability();

CREATE FUNCTION ops_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops_events (provider_id, type, payload)
    VALUES (NEW.provider_id, CASE WHEN NEW.is_available THEN 'slot_released' ELSE 'slot_claimed' END,
        jsonb_build_object('slot_id', NEW.id));
    RETURN NEW;
END $$;
CREATE TRIGGER trg_ops_slot AFTER UPDATE OF is_available ON availability_slots
FOR EACH ROW EXECUTE FUNCTION ops_slot();

CREATE FUNCTION claim_slot_and_create_booking(
    p_id uuid, p_slot_id uuid, p_customer_id uuid, p_service_id uuid
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    slot availability_slots%ROWTYPE;
BEGIN
    SELECT * INTO slot FROM availability_slots WHERE id = p_slot_id FOR UPDATE;
    IF NOT FOUND OR NOT slot.is_available THEN
        RAISE EXCEPTION 'Slot is not available';
    END IF;
    UPDATE availability_slots SET is_available = false WHERE id = p_slot_id;
    INSERT INTO bookings (id, customer_id, provider_id, service_id, start_time, end_time, total_amount)
    VALUES (p_id, p_customer_id, slot.provider_id, p_service_id, slot.start_time, slot.end_time, 0);
    RETURN p_id;
END $$;

CREATE FUNCTION reschedule_booking_atomically(p_booking_id uuid, p_new_slot_id uuid)
RETURNS TABLE (success boolean, moved uuid, error_message text) LANGUAGE plpgsql AS $$
DECLARE
    booking bookings%ROWTYPE;
    slot availability_slots%ROWTYPE;
BEGIN
    SELECT * INTO booking FROM bookings WHERE id = p_booking_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, NULL::uuid, 'Booking not found'::text;
        RETURN;
    END IF;
    IF booking.status = 'cancelled' THEN
        RETURN QUERY SELECT false, NULL::uuid, 'Booking is cancelled'::text;
        RETURN;
    END IF;
    SELECT * INTO slot FROM availability_slots WHERE id = p_new_slot_id;
    IF NOT FOUND OR NOT slot.is_available THEN
        RETURN QUERY SELECT false, NULL::uuid, 'New slot is not available'::text;
        RETURN;
    END IF;
    IF slot.provider_id <> booking.provider_id THEN
        RETURN QUERY SELECT false, NULL::uuid, 'Slot provider mismatch'::text;
        RETURN;
    END IF;
    UPDATE availability_slots SET is_available = true
    WHERE provider_id = booking.provider_id AND start_time = booking.start_time AND end_time = booking.end_time;
    UPDATE availability_slots SET is_available = false WHERE id = slot.id;
    UPDATE bookings SET start_time = slot.start_time, end_time = slot.end_time WHERE id = booking.id;
    INSERT INTO ops_events (provider_id, type, payload)
    VALUES (booking.provider_id, 'booking_rescheduled', jsonb_build_object('booking_id', booking.id));
    RETURN QUERY SELECT true, booking.id, NULL::text;
END $$;

ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE services ENABLE ROW LEVEL SECURITY;
ALTER TABLE availability_slots ENABLE ROW LEVEL SECURITY;
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON profiles FOR SELECT USING (true);
CREATE POLICY everybody_reads ON services FOR SELECT USING (true);
CREATE POLICY everybody_reads ON availability_slots FOR SELECT USING (true);
CREATE POLICY her_own ON availability_slots FOR ALL USING (provider_id = auth.uid());
CREATE POLICY either_reads ON bookings FOR SELECT USING (customer_id = auth.uid() OR provider_id = auth.uid());
CREATE POLICY customer_books ON bookings FOR INSERT WITH CHECK (customer_id = auth.uid());
CREATE POLICY provider_changes ON bookings FOR UPDATE USING (provider_id = auth.uid());
CREATE POLICY service_role_all ON ops_events FOR ALL TO public USING (true);

GRANT USAGE ON SCHEMA public, auth TO anon, authenticated;
GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, auth TO anon, authenticated;
