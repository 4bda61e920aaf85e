import type { Questionnaire } from 'fhir/r4.js';
import type { Severity } from '../fhir/outcome.js';
import type { Finding } from './finding.js';
import type { Cost } from './regular-expressions.js';
import type { ElementRule } from './shapes.js';
import { keyOfQuestion, noAnswers, type CodeAnswers, type CodeQuestion } from './terminology/port.js';
import type { CodeSet, Membership } from './terminology/value-sets.js';

/** A JSON object of a resource. */
export type Node = { readonly [name: string]: unknown };

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('isLosslessNumber' in value);

/** A resource on the way down, with what references inside it can resolve to. */
export type Frame = {
  readonly resource: Node;
  /** the resource that contains it; itself when it is not contained */
  readonly container: Node;
  /** the entry of the Bundle that holds it */
  readonly entry?: Node | undefined;
  readonly bundle?: Node | undefined;
  readonly outer?: Frame | undefined;
};

/** Findings beyond this number say nothing new, and building them is what a hostile body wants. */
const mostFindings = 200;

/** Codes of one validation that a terminology server is asked about; the others stay unknown. */
const mostQuestions = 100;

/** R4 sets no limit to nesting; no resource of use nests deeper, and every level costs stack. */
export const deepest = 200;

/** What was gathered for a validation before it began, and how it judges what stays unknown. */
export type Given = {
  /** no profile of any kind is applied */
  readonly baseOnly?: true;
  readonly answers: CodeAnswers;
  /** what it is when nobody can tell whether a code meets a required binding */
  readonly undecided: 'warning' | 'error';
  /** the Questionnaire of a canonical that is not among the definitions */
  readonly questionnaire: (canonical: string) => Questionnaire | undefined;
  /** a value set of the definitions */
  readonly codes: (valueSet: string) => CodeSet | undefined;
};

const nothingGiven: Given = { answers: noAnswers, undecided: 'warning', questionnaire: () => undefined, codes: () => undefined };

/** Whether a place is another, or lies in it. */
const isWithin = (place: string, other: string): boolean => {
  if (!place.startsWith(other)) return false;
  const next = place.charCodeAt(other.length);
  return Number.isNaN(next) || next === 46 || next === 91;
};

/** One validation: where it is, what it has found, and which resources are around it. */
export class Walk {
  /** names and indexes from the root, e.g. `Patient`, `name`, 0, `given`, 1 */
  readonly path: (string | number)[] = [];
  /** the rules of the elements on the way down, for the contexts of extensions */
  readonly rules: ElementRule[] = [];
  readonly findings: Finding[] = [];
  errors = 0;
  depth = 0;
  /** whether values are not of the shape that R4 gives them, so that nothing can be said of their content */
  broken = false;
  /** above zero: errors are counted, not kept, for a check that only asks whether something conforms */
  muted = 0;
  layer: Finding['layer'] = 'base';
  /** canonical of the profile that is being applied */
  profile: string | undefined;
  frame: Frame;
  readonly root: Node;
  /** ids of elements, by the resource in which they are */
  readonly elementIds = new Map<Node, Set<string>>();
  /** what only a terminology server can tell, each once */
  readonly questions = new Map<string, CodeQuestion>();
  /** what matching expressions of others has cost so far */
  readonly cost: Cost = { stopped: 0 };
  /** resources that were held to a profile, for a reference that comes again or leads back */
  readonly conforming = new Map<Node, Map<string, boolean>>();
  readonly #seen = new Set<string>();
  /** where R4 itself is broken */
  readonly #faulty: string[] = [];
  /** where there is nothing at all */
  readonly #empty: string[] = [];

  constructor(
    root: Node,
    readonly given: Given = nothingGiven,
  ) {
    this.root = root;
    this.frame = { resource: root, container: root };
  }

  /** What a terminology server said before this validation began; the question is noted, for it to be asked. */
  ask(question: CodeQuestion): Membership {
    if (this.questions.size < mostQuestions) this.questions.set(keyOfQuestion(question), question);
    return this.given.answers.find(question);
  }

  /** FHIRPath with indexes, of the present place or of a child of it. */
  expression(child?: string | number): string {
    let text = '';
    for (const step of this.path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
    if (child === undefined) return text;
    return typeof child === 'number' ? `${text}[${child}]` : `${text}.${child}`;
  }

  report(severity: Severity, code: string, text: string, rule: string, child?: string | number): void {
    if (severity === 'error') this.errors++;
    if (severity === 'error' && this.layer === 'base' && code === 'structure') this.broken = true;
    if (this.muted > 0) return;
    if (this.findings.length >= mostFindings && severity !== 'error') return;
    if (this.findings.length >= mostFindings * 2) return;
    const expression = this.expression(child);
    if (this.layer === 'profile' && this.#holdsFault(expression)) return;
    // R4 itself and several profiles may say the same of one place: one cause, one issue
    const key = `${expression}\n${code}\n${text}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (severity === 'error' && this.layer === 'base') this.#faulty.push(expression);
    const diagnostics = this.profile === undefined ? `R4 4.0.1: ${rule}` : `${this.profile}: ${rule}`;
    this.findings.push({ severity, code, text, expression: [expression], diagnostics, layer: this.layer });
  }

  /** What a profile says of a place that is not R4, or that holds such a place, follows from that fault as a rule: one cause, one issue. */
  #holdsFault(expression: string): boolean {
    return (
      this.#faulty.some((at) => isWithin(at, expression)) || this.#empty.some((at) => isWithin(at, expression) || isWithin(expression, at))
    );
  }

  /** The present place holds nothing, so that no profile need say what it lacks. */
  noteEmpty(): void {
    this.#empty.push(this.expression());
  }

  error(code: string, text: string, rule: string, child?: string | number): void {
    this.report('error', code, text, rule, child);
  }

  warning(code: string, text: string, rule: string, child?: string | number): void {
    this.report('warning', code, text, rule, child);
  }

  /** Whether a check finds no error; what it finds is not reported. */
  passes(check: () => void): boolean {
    const before = this.errors;
    this.muted++;
    check();
    this.muted--;
    const passed = this.errors === before;
    this.errors = before;
    return passed;
  }

  /** Runs a check whose findings are those of a profile. */
  under(profile: string, check: () => void): void {
    const { layer, profile: outer } = this;
    this.layer = 'profile';
    this.profile = profile;
    check();
    this.layer = layer;
    this.profile = outer;
  }
}
