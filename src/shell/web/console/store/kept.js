// What was typed, kept over a reload and a lost connection: in the session's storage, by a name of its own.

const PREFIX = 'perezvon.typed.';

export function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

export function write(name, value) {
  try {
    if (value === null || value === undefined) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: it is still on the screen.
  }
}

/// After a log-out: nothing of one person is shown to the next.
export function forget() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith('perezvon.')) sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

/// Settings of this browser: devices, volumes, wishes.
export function setting(name, usual) {
  try {
    const kept = localStorage.getItem(`perezvon.${name}`);
    return kept === null ? usual : JSON.parse(kept);
  } catch {
    return usual;
  }
}

export function keepSetting(name, value) {
  try {
    localStorage.setItem(`perezvon.${name}`, JSON.stringify(value));
  } catch {
    // It holds until the reload.
  }
}
