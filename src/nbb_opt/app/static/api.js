// Talking to the server on this machine.

import { _ } from "./language.js";

export class ApiError extends Error {
  constructor(status, answer) {
    super((answer.detail && _(answer.detail)) || _("The app answered with {status}.", { status }));
    this.status = status;
    this.answer = answer;
    this.problems = answer.problems || [];
  }
}

async function ask(method, path, given = {}) {
  let reply;
  try {
    reply = await fetch(path, { method, credentials: "same-origin", cache: "no-store", ...given });
  } catch {
    throw new ApiError(0, { detail: _("The app does not answer. Is it still running? Start it again and open its address.") });
  }
  const text = await reply.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = { detail: text.slice(0, 300) };
  }
  if (!reply.ok) throw new ApiError(reply.status, answer);
  return answer;
}

const json = (body) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, json(body));
export const put = (path, body, more = {}) => ask("PUT", path, { ...json(body), ...more });
export const remove = (path) => ask("DELETE", path);
export const upload = (path, file, more = {}) => ask("POST", `${path}?${new URLSearchParams({ name: file.name, ...more })}`, {
  headers: { "content-type": "application/octet-stream" }, body: file,
});
export const casePath = (id) => `/api/cases/${encodeURIComponent(id)}`;
export const planPath = (id, plan) => `${casePath(id)}/plans/${encodeURIComponent(plan)}`;
