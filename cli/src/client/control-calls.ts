import type { Control } from '#common/control/control.ts';

/** What comes with every change. */
export interface ControlRequest {
  readonly reason: string;
  /** Check everything, write nothing. */
  readonly validateOnly: boolean;
}

/** ControlService as the commands see it: what holds for the whole fleet. */
export interface ControlCalls {
  get(): Promise<Control>;
  freeze(request: ControlRequest & { readonly until?: Date }): Promise<Control>;
  unfreeze(request: ControlRequest): Promise<Control>;
  killAll(request: ControlRequest & { readonly value: boolean }): Promise<Control>;
  reviveAll(request: ControlRequest): Promise<Control>;
  setCohort(
    request: ControlRequest & { readonly name: string; readonly selector: string },
  ): Promise<Control>;
  deleteCohort(request: ControlRequest & { readonly name: string }): Promise<Control>;
}
