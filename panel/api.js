/* SPDX-License-Identifier: Apache-2.0 */
/* api.js - calls to the server with the token that this device was given; the token is never part of an address. */

const KEY = 'kurye.token';

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY),
  keep: (text, onDevice) => (onDevice ? localStorage : sessionStorage).setItem(KEY, text),
  forget: () => {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
  },
  isKept: () => localStorage.getItem(KEY) !== null,
};

/* A tablet's clock may be wrong, and what is asked for, and how old an order is, goes by the server's. */
let ahead = 0;

export const serverNow = () => Date.now() + ahead;

const listeners = { unauthorized: () => {}, reached: () => {}, lost: () => {} };

/* What to do when the token is not taken any more, when the server answers, and when it cannot be reached. */
export function onApi(handlers) {
  Object.assign(listeners, handlers);
}

export async function call(method, path, body, bearer = token.get()) {
  const headers = { Authorization: `Bearer ${bearer}` };
  let answer;
  let document;

  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store',
      signal: AbortSignal.timeout(15000) });
    document = await answer.json();
  } catch {
    listeners.lost();
    throw new ApiError(0, listeners.lostWord());
  }
  if (answer.headers.get('Date')) ahead = Date.parse(answer.headers.get('Date')) - Date.now();
  listeners.reached();
  if (answer.ok) return document;
  if (answer.status === 401 && bearer === token.get()) listeners.unauthorized();
  throw new ApiError(answer.status, document.message ?? String(answer.status));
}

export const get = async (path) => (await call('GET', path)).data;
export const post = async (path, body = {}) => (await call('POST', path, body)).data;
export const put = async (path, body) => (await call('PUT', path, body)).data;
export const patch = async (path, body) => (await call('PATCH', path, body)).data;
export const remove = async (path) => (await call('DELETE', path)).data;

/* Every page of a list, up to `most` rows. */
export async function all(path, most = 1000) {
  const rows = [];
  let after = null;

  do {
    const page = await call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${after ? `&after=${encodeURIComponent(after)}` : ''}`);

    rows.push(...page.data);
    after = page.next;
  } while (after && rows.length < most);
  return rows;
}
