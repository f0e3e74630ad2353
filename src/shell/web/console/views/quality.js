// Quality: what agents' grades add up to, the grades, and the forms. An agent sees the own grades.

import { html, useState } from '../vendor/preact.js';
import { dayTime, t } from '../i18n.js';
import { patch, post, query } from '../api.js';
import { me } from '../store/office.js';
import { usePages, useOne, Listing, Table, Trouble } from '../components/list.js';
import { Dialog } from '../components/dialog.js';
import { begin, end } from '../components/days.js';
import { Given } from '../components/grading.js';
import { percent } from './reports.js';

export default function Quality() {
  const judge = me.value.role !== 'agent';
  const [from, setFrom] = useState('');
  const [till, setTill] = useState('');
  const span = { from: begin(from), to: end(till) };
  const pages = usePages('/quality/grades', span);
  return html`<section class="page">
    <header><h1>${t('view.quality')}</h1><div class="filters">
      <label class="field"><span>${t('record.from')}</span><input type="date" value=${from} onInput=${(event) => setFrom(event.target.value)} /></label>
      <label class="field"><span>${t('record.till')}</span><input type="date" value=${till} onInput=${(event) => setTill(event.target.value)} /></label>
      ${judge && ['csv', 'xlsx'].map((format) => html`<a class="button" href=${`/api/v1/quality/report${query({ ...span, format })}`} download=${`quality.${format}`}>${t(/* csv or xlsx */ `reports.${format}`)}</a>`)}
    </div></header>
    ${judge && html`<${Report} span=${span} />`}
    <div class="sheet inner"><h2>${t('quality.grades')}</h2><${Listing} pages=${pages} empty=${t('quality.no_grades')}>
      ${(rows) => rows.map((grade) => html`<div key=${grade.id}><b>${grade.agent_name || ''}</b><${Given} grade=${grade} /></div>`)}
    <//></div>
    ${judge && html`<${Forms} />`}
  </section>`;
}

function Report({ span }) {
  const { value, error, reload } = useOne(`/quality/report${query(span)}`);
  if (error) return html`<${Trouble} error=${error} again=${reload} />`;
  if (!value || !value.items.length) return null;
  return html`<div class="sheet"><${Table} label=${t('view.quality')} rows=${value.items} keyOf=${(one) => one.agent} columns=${[
    { head: t('call.agent'), cell: (one) => one.name },
    { head: t('quality.grades'), cell: (one) => one.grades, cls: 'num' },
    { head: t('quality.average'), cell: (one) => percent(one.average), cls: 'num' },
    { head: t('quality.failed'), cell: (one) => one.failed, cls: 'num' },
    { head: t('quality.questions'), cell: (one) => one.questions.map((question) => `${question.text} ${percent(question.average)}`).join(' · ') },
  ]} /></div>`;
}

function Forms() {
  const pages = usePages('/quality/forms', {}, { whole: true });
  const [edited, setEdited] = useState(null);
  return html`<div class="sheet inner"><header><h2>${t('quality.forms')}</h2><button type="button" class="main" onClick=${() => setEdited({ name: '', sections: [fresh()] })}>${t('quality.add_form')}</button></header>
    <${Listing} pages=${pages} empty=${t('quality.no_forms')}>
      ${(rows) => html`<${Table} label=${t('quality.forms')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('quality.form'), cell: (one) => html`${one.name} ${one.retired ? html`<span class="badge">${t('tariffs.retired')}</span>` : ''}` },
        { head: t('quality.version'), cell: (one) => one.version, cls: 'num' },
        { head: t('quality.questions'), cell: (one) => one.sections.reduce((sum, section) => sum + section.questions.length, 0), cls: 'num' },
        { head: t('quality.changed'), cell: (one) => `${dayTime(one.changed_at)} ${one.changed_by}` },
      ]} />`}
    <//>
    ${edited && html`<${Editor} form=${edited} close=${() => setEdited(null)} done=${pages.reload} />`}
  </div>`;
}

const question = () => ({ text: '', best: 1, weight: 1, fatal: false });
const fresh = () => ({ title: '', questions: [question()] });

/// A form of sections and questions. What was graded by it keeps its version.
function Editor({ form, close, done }) {
  const [name, setName] = useState(form.name);
  const [sections, setSections] = useState(() => form.sections.map((section) => ({ ...section, questions: section.questions.map((one) => ({ ...one })) })));
  const [retired, setRetired] = useState(form.retired || false);
  const [error, setError] = useState(null);
  const put = (at, change) => setSections((old) => old.map((section, place) => (place === at ? { ...section, ...change } : section)));
  const set = (at, number, change) => put(at, { questions: sections[at].questions.map((one, place) => (place === number ? { ...one, ...change } : one)) });
  const drop = (at, number) => {
    const left = sections[at].questions.filter((_, place) => place !== number);
    setSections((old) => (left.length ? old.map((section, place) => (place === at ? { ...section, questions: left } : section)) : old.filter((_, place) => place !== at)));
  };
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      const same = JSON.stringify(sections) === JSON.stringify(form.sections);
      if (form.id) await patch(`/quality/forms/${form.id}`, { name, retired, version: form.version, ...(same ? {} : { sections }) });
      else await post('/quality/forms', { name, sections });
      await done();
      close();
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
    }
  };
  const kinds = [[1, t('quality.yes_no')], ...[2, 3, 4, 5, 6, 7, 8, 9, 10].map((best) => [best, t('quality.scale', { best })])];
  return html`<${Dialog} title=${form.id ? form.name : t('quality.add_form')} close=${close} wide=${true}>
    <form class="fields form-editor" onSubmit=${submit}>
      <label class="field"><span>${t('quality.form')}</span><input name="name" required maxlength="100" value=${name} onInput=${(event) => setName(event.target.value)} /></label>
      ${sections.map((section, at) => html`<fieldset key=${at}><legend>${t('quality.section')} ${at + 1}</legend>
        <label class="field"><span>${t('quality.heading')}</span><input required maxlength="300" value=${section.title} onInput=${(event) => put(at, { title: event.target.value })} /></label>
        ${section.questions.map((one, number) => html`<div class="question" key=${number}>
          <label class="field"><span>${t('quality.question')}</span><input required maxlength="300" value=${one.text} onInput=${(event) => set(at, number, { text: event.target.value })} /></label>
          <label class="field"><span>${t('quality.kind')}</span><select value=${one.best} onChange=${(event) => set(at, number, { best: Number(event.target.value) })}>${kinds.map(([best, text]) => html`<option value=${best} selected=${best === one.best}>${text}</option>`)}</select></label>
          <label class="field"><span>${t('quality.weight')}</span><input type="number" min="1" max="100" required value=${one.weight} onInput=${(event) => set(at, number, { weight: Number(event.target.value) })} /></label>
          <label class="check"><input type="checkbox" checked=${one.fatal} onChange=${(event) => set(at, number, { fatal: event.target.checked })} /> ${t('quality.fatal')}</label>
          <button type="button" class="quiet" aria-label=${`${t('quality.remove')} ${one.text}`} onClick=${() => drop(at, number)}>×</button>
        </div>`)}
        <button type="button" class="quiet" onClick=${() => put(at, { questions: [...section.questions, question()] })}>+ ${t('quality.question')}</button>
      </fieldset>`)}
      <button type="button" class="quiet" onClick=${() => setSections((old) => [...old, fresh()])}>+ ${t('quality.section')}</button>
      ${form.id && html`<label class="check"><input type="checkbox" checked=${retired} onChange=${(event) => setRetired(event.target.checked)} /> ${t('tariffs.retired')}</label>`}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <footer><button type="button" class="quiet" onClick=${close}>${t('cancel')}</button><button type="submit" class="main">${t('save')}</button></footer>
    </form>
  <//>`;
}
