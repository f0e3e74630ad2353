// One line on how the archive of talks is: recordings that are missing or wait, and what the last check has found.

import { html, useEffect, useState } from '../vendor/preact.js';
import { t, dayTime } from '../i18n.js';
import { get } from '../api.js';

const EVERY = 60000;

export function Gaps() {
  const [gaps, setGaps] = useState(null);
  useEffect(() => {
    // Without an answer the line stays as it was; that the engine is away is told elsewhere.
    const look = () => get('/recordings/gaps').then(setGaps, () => {});
    look();
    const timer = setInterval(look, EVERY);
    return () => clearInterval(timer);
  }, []);
  if (!gaps) return null;
  const check = gaps.check;
  const damaged = check ? check.missing + check.short + check.changed + check.unreadable : 0;
  const told = [
    gaps.trouble && t('gaps.trouble', { waiting: gaps.waiting }),
    gaps.all > 0 ? t('gaps.some', { all: gaps.all }) : t('gaps.none'),
    check ? t(damaged ? 'gaps.damaged' : 'gaps.checked', { at: dayTime(check.ended_at), checked: check.checked, damaged }) : t('gaps.unchecked'),
  ].filter(Boolean);
  return html`<p class=${`queue-line gaps ${gaps.trouble || gaps.all || damaged ? 'strip warn' : ''}`}>${told.join(' · ')}</p>`;
}
