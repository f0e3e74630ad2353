// Logging in.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { post, reach } from '../api.js';
import { t } from '../i18n.js';

export function Login({ done, Looks }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  /// The password was right, and the user has a second factor.
  const [second, setSecond] = useState(false);
  const first = useRef(null);
  useEffect(() => {
    first.current.focus();
    performance.mark('usable');
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    setError('');
    try {
      const who = { login: form.get('login').trim(), password: form.get('password') };
      if (second) who.code = form.get('code');
      await post('/session', who, { loggingIn: true });
      await done();
    } catch (cause) {
      if (cause.kind === 'code_needed') setSecond(true);
      else setError(cause.offline ? t('list.offline') : cause.message);
      setBusy(false);
    }
  };
  return html`<main class="enter">
    <form onSubmit=${submit} aria-labelledby="enter">
      <h1 id="enter">${t('brand')}</h1>
      <label class="field"><span>${t('login.login')}</span><input ref=${first} name="login" autocomplete="username" required maxlength="100" /></label>
      <label class="field"><span>${t('login.password')}</span><input name="password" type="password" autocomplete="current-password" required /></label>
      ${second && html`<label class="field"><span>${t('login.code')}</span><input name="code" ref=${(field) => field && !field.value && field.focus()} inputmode="numeric" autocomplete="one-time-code" required maxlength="16" /></label>`}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      ${reach.value === 'offline' && !error && html`<p class="trouble" role="alert">${t('list.offline')}</p>`}
      <footer><${Looks} /><button type="submit" class="main" disabled=${busy}>${t('login.enter')}</button></footer>
    </form>
  </main>`;
}
