//! Payments by phone. What identifies a card or account comes masked, except the routing number.

use super::declare::{group, methods};
use super::words::words;

methods! {
    payment_readings: [Call Event]
    {}
    {
        /// A payment: in the `action` of Pay, and in its status callback.
        payment: Payment;
    }
}

words! {
    /// How a payment ended.
    PaymentResult {
        /// Paid, or the token is there.
        Success = "success",
        /// The caller did not manage.
        TooManyFailedAttempts = "too-many-failed-attempts",
        /// The payment connector was at fault.
        ConnectorError = "payment-connector-error",
        /// The caller pressed `*`.
        InterruptedWithStar = "caller-interrupted-with-star",
        /// The caller hung up.
        HungUp = "caller-hung-up",
        /// The document was at fault.
        ValidationError = "validation-error",
        /// The carrier was at fault.
        InternalError = "internal-error",
    }

    /// What is paid with.
    PaymentMethod {
        /// A card.
        CreditCard = "credit-card",
        /// A bank account.
        AchDebit = "ach-debit",
    }

    /// What the caller is asked for.
    PaymentStep {
        /// The card's number.
        CardNumber = "payment-card-number",
        /// The card's last month.
        ExpirationDate = "expiration-date",
        /// The card's security code.
        SecurityCode = "security-code",
        /// The card's postal code.
        PostalCode = "postal-code",
        /// The bank's routing number.
        RoutingNumber = "bank-routing-number",
        /// The account's number.
        AccountNumber = "bank-account-number",
        /// Nothing: the payment is being made.
        Processing = "payment-processing",
    }

    /// What was wrong with the caller's input.
    PaymentInputError {
        /// Nothing came.
        Timeout = "input-timeout",
        /// Not a card's number.
        CardNumber = "invalid-card-number",
        /// A card that is not taken.
        CardType = "invalid-card-type",
        /// Not a date, or one that has passed.
        Date = "invalid-date",
        /// Not a security code.
        SecurityCode = "invalid-security-code",
        /// Not a postal code.
        PostalCode = "invalid-postal-code",
        /// Not a routing number.
        RoutingNumber = "invalid-bank-routing-number",
        /// Not an account's number.
        AccountNumber = "invalid-bank-account-number",
        /// Not a kind of account.
        AccountType = "invalid-bank-account-type",
    }
}

group! {
    /// A payment, its inputs masked.
    Payment {
        /// How it ended.
        result: PaymentResult = "Result";
        /// Stands for the card or account in later payments.
        token: &'a str = "PaymentToken";
        /// The connector's id of the payer.
        profile_id: &'a str = "ProfileId";
        /// The connector's confirmation of a charge.
        confirmation_code: &'a str = "PaymentConfirmationCode";
        /// What was paid with.
        method: PaymentMethod = "PaymentMethod";
        /// The card's number, last 4 digits left.
        card_number: &'a str = "PaymentCardNumber";
        /// The kind of card, such as `visa`.
        card_type: &'a str = "PaymentCardType";
        /// The card's last month, `MMYY`.
        expiration_date: &'a str = "ExpirationDate";
        /// The security code, masked.
        security_code: &'a str = "SecurityCode";
        /// The postal code.
        card_postal_code: &'a str = "PaymentCardPostalCode";
        /// The account's number, last 2 digits left.
        bank_account_number: &'a str = "BankAccountNumber";
        /// The bank's routing number, whole.
        bank_routing_number: &'a str = "BankRoutingNumber";
        /// The kind of account.
        bank_account_type: &'a str = "BankAccountType";
        /// What failed.
        error: &'a str = "PaymentError";
        /// The carrier's number for what failed.
        error_code: u64 = "PayErrorCode";
        /// What the connector says failed.
        connector_error: &'a str = "ConnectorError";
        /// What the caller is being asked for; status callback only.
        step: PaymentStep = "For";
        /// What was wrong with the input; status callback only.
        input_error: PaymentInputError = "ErrorType";
        /// How often the caller was asked, from 1; status callback only.
        attempt: u64 = "Attempt";
    }
}
