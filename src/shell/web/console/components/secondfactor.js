// The second factor of one's own log-in: begun with a picture for the authenticator program, confirmed and ended with a
// code.

import { html, useState } from '../vendor/preact.js';
import { t } from '../i18n.js';
import { get, post } from '../api.js';
import { me } from '../store/office.js';
import { Dialog, tell } from './dialog.js';

export function SecondFactor({ close }) {
  const [begun, setBegun] = useState(null);
  const [error, setError] = useState('');
  const on = me.value.second_factor;
  const act = (doing) => async (event) => {
    event.preventDefault();
    setError('');
    try {
      await doing(new FormData(event.target).get('code'));
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
    }
  };
  // A wrong code is no end of the session.
  const send = (what, code) => post(`/me/second-factor${what}`, code === undefined ? undefined : { code }, { loggingIn: true });
  const begin = act(async () => setBegun(await send('')));
  const settle = act(async (code) => {
    await send(on ? '/remove' : '/confirm', code);
    me.value = await get('/me');
    tell(t(on ? 'factor.is_off' : 'factor.is_on'));
    close();
  });
  const asking = on || begun;
  return html`<${Dialog} title=${t('factor')} close=${close}>
    <form class="fields" onSubmit=${asking ? settle : begin}>
      <p>${t(on ? 'factor.on' : begun ? 'factor.scan' : 'factor.off')}</p>
      ${begun && html`<div class="qr" role="img" aria-label=${t('factor.picture')} dangerouslySetInnerHTML=${{ __html: begun.qr_svg }} />
        <p class="secret"><code>${begun.secret.replace(/(.{4})/g, '$1 ').trim()}</code></p>`}
      ${asking && html`<label class="field"><span>${t('login.code')}</span><input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="16" /></label>`}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <footer>
        <button type="button" class="quiet" onClick=${close}>${t('cancel')}</button>
        <button type="submit" class="main">${t(on ? 'factor.end' : begun ? 'factor.confirm' : 'factor.begin')}</button>
      </footer>
    </form>
  <//>`;
}
