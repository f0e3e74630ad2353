-- The ledger only grows, line by line, and a client's balances are always the sum of the lines: a new line must follow
-- the last one and go on from its balance, and nothing but a new line changes the balances.
CREATE FUNCTION ledger_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM ledger_balances b WHERE b.client = NEW.client AND NEW.number = b.entries + 1
        AND NEW.balance = NEW.amount + CASE NEW.book WHEN 'account' THEN b.account ELSE b.bonus END FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a line of the ledger must follow the last one and go on from its balance'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_follows BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_follows();

CREATE FUNCTION ledger_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_balances SET entries = NEW.number,
        account = CASE NEW.book WHEN 'account' THEN NEW.balance ELSE account END,
        bonus = CASE NEW.book WHEN 'bonus' THEN NEW.balance ELSE bonus END
    WHERE client = NEW.client;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_adds_up AFTER INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_adds_up();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whose number it was and what was remarked can be erased on the client's request, and nothing else.
    IF TG_OP = 'UPDATE' AND NEW.phone = '' AND NEW.comment = '' THEN
        OLD.phone := '';
        OLD.comment := '';
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the ledger cannot be edited' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ledger_no_edit BEFORE UPDATE OR DELETE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE FUNCTION balances_follow_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.account = 0 AND NEW.bonus = 0 AND NEW.entries = 0
            AND NOT EXISTS (SELECT 1 FROM ledger_entries WHERE client = NEW.client) THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM 1 FROM ledger_entries e WHERE e.client = OLD.client AND NEW.client = OLD.client
            AND e.number = OLD.entries + 1 AND NEW.entries = e.number
            AND NEW.account = OLD.account + CASE e.book WHEN 'account' THEN e.amount ELSE 0 END
            AND NEW.bonus = OLD.bonus + CASE e.book WHEN 'bonus' THEN e.amount ELSE 0 END;
        IF FOUND THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'balances cannot be edited' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER balances_follow BEFORE INSERT OR UPDATE OR DELETE ON ledger_balances
FOR EACH ROW EXECUTE FUNCTION balances_follow_the_ledger();
CREATE TRIGGER balances_no_truncate BEFORE TRUNCATE ON ledger_balances
FOR EACH STATEMENT EXECUTE FUNCTION balances_follow_the_ledger();
