/** Something the user can put right: the message is all there is to show. */
export class UserError extends Error {}
