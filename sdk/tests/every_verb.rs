// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Every attribute of every verb can be set, and is written as the grammar says.

#![allow(deprecated)]

use hookswitch_sdk::twiml::*;

/// Sets each attribute alone, each twice, and all together.
macro_rules! attributes {
    ($element:expr, $start:literal, $end:literal;
     $($setter:ident($value:expr) => $written:literal;)*) => {
        $(
            let expected = concat!($start, " ", $written, $end);
            assert_eq!($element.$setter($value).to_string(), expected);
            assert_eq!($element.$setter($value).$setter($value).to_string(), expected);
        )*
        let all = $element$(.$setter($value))*;
        assert_eq!(all.to_string(), concat!($start, $(" ", $written,)* $end));
    };
}

#[test]
fn voice_say() {
    attributes! { Say::new("v"), "<Say", ">v</Say>";
        language(SayLanguage::ZH_TW) => r#"language="zh-TW""#;
        loop_(42) => r#"loop="42""#;
        voice(Voice::POLLY_VICKI_GENERATIVE) => r#"voice="Polly.Vicki-Generative""#;
    }
}

#[test]
fn voice_play() {
    attributes! { Play::new("menu"), "<Play", ">menu</Play>";
        digits("v") => r#"digits="v""#;
        loop_(42) => r#"loop="42""#;
    }
}

#[test]
fn voice_pause() {
    attributes! { Pause::new(), "<Pause", "/>";
        length(42) => r#"length="42""#;
    }
}

#[test]
fn voice_gather() {
    attributes! { Gather::new(), "<Gather", "/>";
        action("menu") => r#"action="menu""#;
        action_on_empty_result(true) => r#"actionOnEmptyResult="true""#;
        barge_in(true) => r#"bargeIn="true""#;
        debug(true) => r#"debug="true""#;
        enhanced(true) => r#"enhanced="true""#;
        finish_on_key("v") => r#"finishOnKey="v""#;
        hints("v") => r#"hints="v""#;
        input([GatherInput::Dtmf, GatherInput::Speech]) => r#"input="dtmf speech""#;
        language(GatherLanguage::ZU_ZA) => r#"language="zu-ZA""#;
        max_speech_time(42) => r#"maxSpeechTime="42""#;
        method(Method::Post) => r#"method="POST""#;
        num_digits(42) => r#"numDigits="42""#;
        partial_result_callback("menu") => r#"partialResultCallback="menu""#;
        partial_result_callback_method(Method::Post) => r#"partialResultCallbackMethod="POST""#;
        profanity_filter(true) => r#"profanityFilter="true""#;
        speech_model(SpeechModel::DEEPGRAM_NOVA_3) => r#"speechModel="deepgram_nova-3""#;
        speech_timeout("v") => r#"speechTimeout="v""#;
        timeout(42) => r#"timeout="42""#;
    }
}

#[test]
fn voice_dial() {
    attributes! { Dial::new(), "<Dial", "/>";
        action("menu") => r#"action="menu""#;
        answer_on_bridge(true) => r#"answerOnBridge="true""#;
        call_reason("v") => r#"callReason="v""#;
        caller_id("v") => r#"callerId="v""#;
        events(DialEvent::CallProgressEvent) => r#"events="call-progress-event""#;
        hangup_on_star(true) => r#"hangupOnStar="true""#;
        method(Method::Post) => r#"method="POST""#;
        passports("v") => r#"passports="v""#;
        record(DialRecord::RecordFromRingingDual) => r#"record="record-from-ringing-dual""#;
        recording_configuration_id("v") => r#"recordingConfigurationId="v""#;
        recording_status_callback("menu") => r#"recordingStatusCallback="menu""#;
        recording_status_callback_event([RecordingEvent::InProgress, RecordingEvent::Completed]) => r#"recordingStatusCallbackEvent="in-progress completed""#;
        recording_status_callback_method(Method::Post) => r#"recordingStatusCallbackMethod="POST""#;
        recording_track(RecordingTrack::Outbound) => r#"recordingTrack="outbound""#;
        refer_method(Method::Post) => r#"referMethod="POST""#;
        refer_url("menu") => r#"referUrl="menu""#;
        ring_tone(RingTone::ZA) => r#"ringTone="za""#;
        sequential(true) => r#"sequential="true""#;
        time_limit(42) => r#"timeLimit="42""#;
        timeout(42) => r#"timeout="42""#;
        trim(Trim::DoNotTrim) => r#"trim="do-not-trim""#;
    }
}

#[test]
fn voice_refer() {
    attributes! { Refer::new(), "<Refer", "/>";
        action("menu") => r#"action="menu""#;
        method(Method::Post) => r#"method="POST""#;
    }
}

#[test]
fn voice_enqueue() {
    attributes! { Enqueue::new("v"), "<Enqueue", ">v</Enqueue>";
        action("menu") => r#"action="menu""#;
        max_queue_size(42) => r#"maxQueueSize="42""#;
        method(Method::Post) => r#"method="POST""#;
        wait_url("menu") => r#"waitUrl="menu""#;
        wait_url_method(Method::Post) => r#"waitUrlMethod="POST""#;
        workflow_sid("v") => r#"workflowSid="v""#;
    }
}

#[test]
fn voice_queue() {
    attributes! { Queue::new("v"), "<Queue", ">v</Queue>";
        method(Method::Post) => r#"method="POST""#;
        post_work_activity_sid("v") => r#"postWorkActivitySid="v""#;
        reservation_sid("v") => r#"reservationSid="v""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_record() {
    attributes! { Record::new(), "<Record", "/>";
        action("menu") => r#"action="menu""#;
        finish_on_key("v") => r#"finishOnKey="v""#;
        max_length(42) => r#"maxLength="42""#;
        method(Method::Post) => r#"method="POST""#;
        play_beep(true) => r#"playBeep="true""#;
        recording_configuration_id("v") => r#"recordingConfigurationId="v""#;
        recording_status_callback("menu") => r#"recordingStatusCallback="menu""#;
        recording_status_callback_event([RecordingEvent::InProgress, RecordingEvent::Completed]) => r#"recordingStatusCallbackEvent="in-progress completed""#;
        recording_status_callback_method(Method::Post) => r#"recordingStatusCallbackMethod="POST""#;
        timeout(42) => r#"timeout="42""#;
        transcribe(true) => r#"transcribe="true""#;
        transcribe_callback("menu") => r#"transcribeCallback="menu""#;
        trim(Trim::DoNotTrim) => r#"trim="do-not-trim""#;
    }
}

#[test]
fn voice_pay() {
    attributes! { Pay::new(), "<Pay", "/>";
        action("menu") => r#"action="menu""#;
        bank_account_type(PayBankAccountType::CommercialSavings) => r#"bankAccountType="commercial-savings""#;
        charge_amount(0.5) => r#"chargeAmount="0.5""#;
        currency("v") => r#"currency="v""#;
        description("v") => r#"description="v""#;
        input(PayInput::Dtmf) => r#"input="dtmf""#;
        language(PayLanguage::IT_IT) => r#"language="it-IT""#;
        max_attempts(42) => r#"maxAttempts="42""#;
        min_postal_code_length(42) => r#"minPostalCodeLength="42""#;
        payment_connector("v") => r#"paymentConnector="v""#;
        payment_method(PayPaymentMethod::CreditCard) => r#"paymentMethod="credit-card""#;
        postal_code("v") => r#"postalCode="v""#;
        security_code(true) => r#"securityCode="true""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        timeout(42) => r#"timeout="42""#;
        token_type(PayTokenType::PaymentMethod) => r#"tokenType="payment-method""#;
        valid_card_types([CardType::Visa, CardType::Mastercard]) => r#"validCardTypes="visa mastercard""#;
    }
}

#[test]
fn voice_prompt() {
    attributes! { Prompt::new(), "<Prompt", "/>";
        attempt([1, 2]) => r#"attempt="1 2""#;
        card_type([CardType::Visa, CardType::Mastercard]) => r#"cardType="visa mastercard""#;
        error_type([PromptErrorType::Timeout, PromptErrorType::InvalidCardNumber]) => r#"errorType="timeout invalid-card-number""#;
        for_(PromptFor::BankRoutingNumber) => r#"for="bank-routing-number""#;
        require_matching_inputs(true) => r#"requireMatchingInputs="true""#;
    }
}

#[test]
fn voice_redirect() {
    attributes! { Redirect::new("menu"), "<Redirect", ">menu</Redirect>";
        method(Method::Post) => r#"method="POST""#;
    }
}

#[test]
fn voice_reject() {
    attributes! { Reject::new(), "<Reject", "/>";
        reason(RejectReason::Busy) => r#"reason="busy""#;
    }
}

#[test]
fn voice_sms() {
    attributes! { Sms::new("v"), "<Sms", ">v</Sms>";
        action("menu") => r#"action="menu""#;
        from("v") => r#"from="v""#;
        method(Method::Post) => r#"method="POST""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        to("v") => r#"to="v""#;
    }
}

#[test]
fn voice_connect() {
    attributes! { Connect::new(), "<Connect", "/>";
        action("menu") => r#"action="menu""#;
        method(Method::Post) => r#"method="POST""#;
    }
}

#[test]
fn voice_start() {
    attributes! { Start::new(), "<Start", "/>";
        action("menu") => r#"action="menu""#;
        method(Method::Post) => r#"method="POST""#;
    }
}

#[test]
fn messaging_message() {
    attributes! { messaging::Message::new("v"), "<Message", ">v</Message>";
        action("menu") => r#"action="menu""#;
        from("v") => r#"from="v""#;
        method(Method::Post) => r#"method="POST""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        to("v") => r#"to="v""#;
    }
}

#[test]
fn messaging_redirect() {
    attributes! { messaging::Redirect::new("menu"), "<Redirect", ">menu</Redirect>";
        method(Method::Post) => r#"method="POST""#;
    }
}

#[test]
fn fax_receive() {
    attributes! { fax::Receive::new(), "<Receive", "/>";
        action("menu") => r#"action="menu""#;
        media_type(FaxMediaType::ImageTiff) => r#"mediaType="image/tiff""#;
        method(Method::Post) => r#"method="POST""#;
        page_size(FaxPageSize::A4) => r#"pageSize="a4""#;
        store_media(true) => r#"storeMedia="true""#;
    }
}
