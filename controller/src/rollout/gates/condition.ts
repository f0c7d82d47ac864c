import { SkeinError } from '#common/errors.ts';

/** A comparison of a measured value with a fixed one, such as `< 0.01`. */
export interface Condition {
  readonly operator: Operator;
  /** Finite. */
  readonly threshold: number;
}

type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

const CONDITION = /^(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;

/** @throws SkeinError SKEIN_BAD_ROLLOUT that says what was found; the caller knows the field */
export function parseCondition(text: string): Condition {
  const [, operator = '', number = ''] = CONDITION.exec(text.trim()) ?? [];
  const threshold = Number(number);
  if (!isOperator(operator) || !Number.isFinite(threshold)) {
    throw new SkeinError(
      'SKEIN_BAD_ROLLOUT',
      `${JSON.stringify(text)} is no condition: write one of < <= > >= == != and a finite number, such as "< 0.01"`,
    );
  }
  return { operator, threshold };
}

/** NaN meets no condition, not even `!=`. */
export function holds({ operator, threshold }: Condition, value: number): boolean {
  if (Number.isNaN(value)) return false;
  return TESTS[operator](value, threshold);
}

/** Holds where `condition` does not, but for NaN. */
export function opposite({ operator, threshold }: Condition): Condition {
  return { operator: OPPOSITES[operator], threshold };
}

const OPPOSITES: Readonly<Record<Operator, Operator>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '==',
};

const TESTS: Readonly<Record<Operator, (value: number, threshold: number) => boolean>> = {
  '<': (value, threshold) => value < threshold,
  '<=': (value, threshold) => value <= threshold,
  '>': (value, threshold) => value > threshold,
  '>=': (value, threshold) => value >= threshold,
  '==': (value, threshold) => value === threshold,
  '!=': (value, threshold) => value !== threshold,
};

function isOperator(text: string): text is Operator {
  return Object.hasOwn(TESTS, text);
}
