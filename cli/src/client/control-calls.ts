import type { Control } from '#common/control/control.ts';

/** ControlService as the commands see it: what holds for the whole fleet. */
export interface ControlCalls {
  get(): Promise<Control>;
  freeze(request: { readonly reason: string; readonly until?: Date }): Promise<Control>;
  unfreeze(reason: string): Promise<Control>;
  killAll(request: { readonly value: boolean; readonly reason: string }): Promise<Control>;
  reviveAll(reason: string): Promise<Control>;
  setCohort(request: {
    readonly name: string;
    readonly selector: string;
    readonly reason: string;
  }): Promise<Control>;
  deleteCohort(request: { readonly name: string; readonly reason: string }): Promise<Control>;
}
