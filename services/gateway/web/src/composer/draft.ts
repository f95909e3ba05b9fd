/** A brief that is being written outlives a reload of its tab. */
const place = 'loom.brief';

export const keptBrief = (): string => sessionStorage.getItem(place) ?? '';
export const keepBrief = (text: string): void => sessionStorage.setItem(place, text);
export const forgetDraft = (): void => sessionStorage.removeItem(place);
