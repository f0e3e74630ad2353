// The page of a link that plays one recording, without a log-in and with nothing else of the office.

import { html, render } from './vendor/preact.js';
import { language, load, t, dateTime } from './i18n.js';
import { Sound } from './components/player.js';

const base = location.pathname.replace(/\/+$/, '');
const app = document.getElementById('app');

if (!(navigator.language || 'ru').startsWith('ru')) language.value = 'en';
await load();
document.title = t('shared.title');
const answer = await fetch(`${base}/about`);
const about = answer.ok ? await answer.json() : null;
app.textContent = '';
render(
  about
    ? html`<main class="page shared"><header><h1>${t('shared.title')}</h1></header>
        <div class="sheet inner"><p>${t('shared.about', { at: dateTime(about.started_at) })}</p><${Sound} base=${base} />
        <p class="note">${t('shared.until', { at: dateTime(about.expires_at) })}</p></div></main>`
    : html`<main class="page shared"><p class="trouble" role="alert">${t('shared.ended')}</p></main>`,
  app,
);
