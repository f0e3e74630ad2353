// Grading of a talk: by a form of the supervisors, from the page of its recording. Agents see their own grades.

import { html, useState } from '../vendor/preact.js';
import { dayTime, t } from '../i18n.js';
import { post, query } from '../api.js';
import { me } from '../store/office.js';
import { useOne, Trouble } from './list.js';
import { Dialog } from './dialog.js';

const percent = (part) => `${Math.round(part / 10)} %`;
const none = (sections) => sections.map((section) => section.questions.map(() => null));

/// What a form is worth so far, as the engine reckons it; none while nothing is marked.
export function worth(sections, answers) {
  let [sum, weights, failed] = [0, 0, false];
  sections.forEach((section, at) => section.questions.forEach((question, number) => {
    const mark = answers[at][number];
    if (mark === null) return;
    failed = failed || (question.fatal && mark === 0);
    sum += (question.weight * mark) / question.best;
    weights += question.weight;
  }));
  return weights ? (failed ? 0 : Math.round((1000 * sum) / weights)) : null;
}

/// A button that opens the grades of a recording.
export function Grading({ recording }) {
  const [open, setOpen] = useState(false);
  return html`<button type="button" class="quiet" onClick=${() => setOpen(true)}>★ ${t('quality.grade')}</button>
    ${open && html`<${Opened} recording=${recording} close=${() => setOpen(false)} />`}`;
}

function Opened({ recording, close }) {
  const { value: grades, error, reload } = useOne(`/quality/grades${query({ recording })}`);
  const judge = me.value.role !== 'agent';
  return html`<${Dialog} title=${t('quality.title')} close=${close} wide=${true}>
    <div class="fields">
      ${error && html`<${Trouble} error=${error} again=${reload} />`}
      ${grades && grades.items.length === 0 && html`<p class="empty">${t('quality.no_grades')}</p>`}
      ${grades && grades.items.map((grade) => html`<${Given} key=${grade.id} grade=${grade} />`)}
    </div>
    ${judge && html`<${Give} recording=${recording} done=${reload} />`}
  <//>`;
}

/// A grade that was given, in the version of the form that it was given by.
export function Given({ grade }) {
  return html`<details class="grade">
    <summary><b>${percent(grade.score)}</b> ${grade.form_name}${grade.failed ? html` <span class="badge bad">${t('quality.failed')}</span>` : ''} · ${grade.graded_by} · ${dayTime(grade.graded_at)}</summary>
    ${grade.comment && html`<p>${grade.comment}</p>`}
    ${grade.sections.map((section, at) => html`<h3>${section.title}</h3><ul>${section.questions.map((question, number) => html`<li>${question.text}: <b>${shown(question, grade.answers[at][number])}</b></li>`)}</ul>`)}
  </details>`;
}

function shown(question, mark) {
  if (mark === null) return t('quality.not_applicable');
  return question.best === 1 ? t(mark ? 'quality.yes' : 'quality.no') : `${mark} / ${question.best}`;
}

function Give({ recording, done }) {
  const { value: forms } = useOne('/quality/forms');
  const offered = forms ? forms.items.filter((form) => !form.retired) : [];
  const [chosen, setChosen] = useState(null);
  const form = offered.find((one) => one.id === Number(chosen)) || offered[0];
  if (!forms) return null;
  if (!form) return html`<p class="empty">${t('quality.no_forms')}</p>`;
  return html`<div class="fields">
    <label class="field"><span>${t('quality.form')}</span><select value=${form.id} onChange=${(event) => setChosen(event.target.value)}>${offered.map((one) => html`<option value=${one.id} selected=${one.id === form.id}>${one.name}</option>`)}</select></label>
    <${Fill} key=${`${form.id}.${form.version}`} form=${form} recording=${recording} done=${done} />
  </div>`;
}

function Fill({ form, recording, done }) {
  const [answers, setAnswers] = useState(() => none(form.sections));
  const [comment, setComment] = useState('');
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const mark = (at, number) => (event) => {
    const value = event.target.value === '' ? null : Number(event.target.value);
    setAnswers((old) => old.map((marks, section) => (section === at ? marks.map((one, place) => (place === number ? value : one)) : marks)));
  };
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post('/quality/grades', { recording, form: form.id, answers, comment });
      await done();
      setAnswers(none(form.sections));
      setComment('');
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
    }
    setBusy(false);
  };
  const score = worth(form.sections, answers);
  const choices = (question) => (question.best === 1 ? [[1, t('quality.yes')], [0, t('quality.no')]] : Array.from({ length: question.best + 1 }, (_, value) => [question.best - value, String(question.best - value)]));
  return html`<form class="fields grading" onSubmit=${submit}>
    ${form.sections.map((section, at) => html`<fieldset><legend>${section.title}</legend>
      ${section.questions.map((question, number) => html`<label class="field"><span>${question.text}${question.fatal ? ` (${t('quality.fatal')})` : ''}</span>
        <select value=${answers[at][number] ?? ''} onChange=${mark(at, number)}><option value="" selected=${answers[at][number] === null}>${t('quality.not_applicable')}</option>${choices(question).map(([value, text]) => html`<option value=${value} selected=${answers[at][number] === value}>${text}</option>`)}</select></label>`)}
    </fieldset>`)}
    <label class="field"><span>${t('quality.comment')}</span><textarea rows="2" maxlength="2000" onInput=${(event) => setComment(event.target.value)}>${comment}</textarea></label>
    ${error && html`<p class="trouble" role="alert">${error}</p>`}
    <footer><b>${score === null ? '' : percent(score)}</b> <button type="submit" class="main" disabled=${busy || score === null}>${t('quality.give')}</button></footer>
  </form>`;
}
