export interface Address {
  readonly line1: string
  readonly line2: string | null
  readonly city: string
  readonly state: string | null
  readonly postal_code: string | null
  /** Upper-case ISO 3166, such as DE. */
  readonly country: string
}

/** Who buys. A publishable key sees of it `email`, `phone` and `external_id`. */
export interface Customer {
  readonly email: string
  readonly phone: string | null
  readonly external_id: string | null
  readonly name?: string | null
  readonly shipping_address?: Address | null
}

export interface CustomerCreate {
  readonly email: string
  readonly phone?: string | null
  readonly external_id?: string | null
  readonly name?: string | null
  readonly shipping_address?:
    | (Pick<Address, 'line1' | 'city' | 'country'> & Partial<Pick<Address, 'line2' | 'state' | 'postal_code'>>)
    | null
}
