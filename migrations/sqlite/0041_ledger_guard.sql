-- The ledger only grows, line by line, and a client's balances are always the sum of the lines: a new line must follow
-- the last one and go on from its balance, and nothing but a new line changes the balances.
CREATE TRIGGER ledger_follows BEFORE INSERT ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'a line of the ledger must follow the last one and go on from its balance')
    WHERE NOT EXISTS (
        SELECT 1 FROM ledger_balances b WHERE b.client = NEW.client AND NEW.number = b.entries + 1
        AND NEW.balance = NEW.amount + CASE NEW.book WHEN 'account' THEN b.account ELSE b.bonus END);
    SELECT RAISE(ABORT, 'the ledger cannot be edited') WHERE EXISTS (SELECT 1 FROM ledger_entries WHERE id = NEW.id);
END;

CREATE TRIGGER ledger_adds_up AFTER INSERT ON ledger_entries
BEGIN
    UPDATE ledger_balances SET entries = NEW.number,
        account = CASE NEW.book WHEN 'account' THEN NEW.balance ELSE account END,
        bonus = CASE NEW.book WHEN 'bonus' THEN NEW.balance ELSE bonus END
    WHERE client = NEW.client;
END;

-- Whose number it was and what was remarked can be erased on the client's request, and nothing else.
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger_entries
WHEN NEW.id IS NOT OLD.id OR NEW.client IS NOT OLD.client OR NEW.number IS NOT OLD.number OR NEW.book IS NOT OLD.book
    OR NEW.kind IS NOT OLD.kind OR NEW.method IS NOT OLD.method OR NEW.amount IS NOT OLD.amount
    OR NEW.balance IS NOT OLD.balance OR NEW.order_id IS NOT OLD.order_id OR NEW.at IS NOT OLD.at
    OR NEW.actor IS NOT OLD.actor OR NEW.source IS NOT OLD.source OR NEW.phone <> '' OR NEW.comment <> ''
BEGIN SELECT RAISE(ABORT, 'the ledger cannot be edited'); END;

CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger cannot be edited'); END;

CREATE TRIGGER balances_begin_with_nothing BEFORE INSERT ON ledger_balances
BEGIN
    SELECT RAISE(ABORT, 'balances begin with nothing')
    WHERE NEW.account <> 0 OR NEW.bonus <> 0 OR NEW.entries <> 0
        OR EXISTS (SELECT 1 FROM ledger_entries WHERE client = NEW.client);
    -- INSERT OR REPLACE deletes without firing the trigger below.
    SELECT RAISE(ABORT, 'balances cannot be edited')
    WHERE EXISTS (SELECT 1 FROM ledger_balances WHERE client = NEW.client);
END;

CREATE TRIGGER balances_follow_the_ledger BEFORE UPDATE ON ledger_balances
BEGIN
    SELECT RAISE(ABORT, 'balances cannot be edited') WHERE NOT EXISTS (
        SELECT 1 FROM ledger_entries e WHERE e.client = OLD.client AND NEW.client = OLD.client
        AND e.number = OLD.entries + 1 AND NEW.entries = e.number
        AND NEW.account = OLD.account + CASE e.book WHEN 'account' THEN e.amount ELSE 0 END
        AND NEW.bonus = OLD.bonus + CASE e.book WHEN 'bonus' THEN e.amount ELSE 0 END);
END;

CREATE TRIGGER balances_no_delete BEFORE DELETE ON ledger_balances
BEGIN SELECT RAISE(ABORT, 'balances cannot be edited'); END;
