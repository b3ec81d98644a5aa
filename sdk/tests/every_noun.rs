// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Every attribute of every noun can be set, and is written as the grammar says.

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
fn voice_number() {
    attributes! { Number::new("v"), "<Number", ">v</Number>";
        amd_status_callback("menu") => r#"amdStatusCallback="menu""#;
        amd_status_callback_method(Method::Post) => r#"amdStatusCallbackMethod="POST""#;
        byoc("v") => r#"byoc="v""#;
        machine_detection(MachineDetection::DetectMessageEnd) => r#"machineDetection="DetectMessageEnd""#;
        machine_detection_silence_timeout(42) => r#"machineDetectionSilenceTimeout="42""#;
        machine_detection_speech_end_threshold(42) => r#"machineDetectionSpeechEndThreshold="42""#;
        machine_detection_speech_threshold(42) => r#"machineDetectionSpeechThreshold="42""#;
        machine_detection_timeout(42) => r#"machineDetectionTimeout="42""#;
        method(Method::Post) => r#"method="POST""#;
        send_digits("v") => r#"sendDigits="v""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([CallEvent::Initiated, CallEvent::Ringing]) => r#"statusCallbackEvent="initiated ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_whats_app() {
    attributes! { WhatsApp::new("v"), "<WhatsApp", ">v</WhatsApp>";
        method(Method::Post) => r#"method="POST""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([CallEvent::Initiated, CallEvent::Ringing]) => r#"statusCallbackEvent="initiated ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_sip() {
    attributes! { Sip::new("v"), "<Sip", ">v</Sip>";
        amd_status_callback("menu") => r#"amdStatusCallback="menu""#;
        amd_status_callback_method(Method::Post) => r#"amdStatusCallbackMethod="POST""#;
        machine_detection(MachineDetection::DetectMessageEnd) => r#"machineDetection="DetectMessageEnd""#;
        machine_detection_silence_timeout(42) => r#"machineDetectionSilenceTimeout="42""#;
        machine_detection_speech_end_threshold(42) => r#"machineDetectionSpeechEndThreshold="42""#;
        machine_detection_speech_threshold(42) => r#"machineDetectionSpeechThreshold="42""#;
        machine_detection_timeout(42) => r#"machineDetectionTimeout="42""#;
        method(Method::Post) => r#"method="POST""#;
        password("v") => r#"password="v""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([CallEvent::Initiated, CallEvent::Ringing]) => r#"statusCallbackEvent="initiated ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        url("menu") => r#"url="menu""#;
        username("v") => r#"username="v""#;
    }
}

#[test]
fn voice_sip_uri() {
    attributes! { SipUri::new("v"), "<Uri", ">v</Uri>";
        password("v") => r#"password="v""#;
        priority(42) => r#"priority="42""#;
        username("v") => r#"username="v""#;
        weight(42) => r#"weight="42""#;
    }
}

#[test]
fn voice_header() {
    attributes! { Header::new(), "<Header", "/>";
        name("v") => r#"name="v""#;
        value("v") => r#"value="v""#;
    }
}

#[test]
fn voice_client() {
    attributes! { Client::new("v"), "<Client", ">v</Client>";
        method(Method::Post) => r#"method="POST""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([CallEvent::Initiated, CallEvent::Ringing]) => r#"statusCallbackEvent="initiated ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_application() {
    attributes! { Application::new("v"), "<Application", ">v</Application>";
        copy_parent_to(true) => r#"copyParentTo="true""#;
        customer_id("v") => r#"customerId="v""#;
        method(Method::Post) => r#"method="POST""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([CallEvent::Initiated, CallEvent::Ringing]) => r#"statusCallbackEvent="initiated ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_parameter() {
    attributes! { Parameter::new(), "<Parameter", "/>";
        name("v") => r#"name="v""#;
        value("v") => r#"value="v""#;
    }
}

#[test]
fn voice_conference() {
    attributes! { Conference::new("v"), "<Conference", ">v</Conference>";
        beep(ConferenceBeep::OnExit) => r#"beep="onExit""#;
        coach("v") => r#"coach="v""#;
        end_conference_on_exit(true) => r#"endConferenceOnExit="true""#;
        event_callback_url("menu") => r#"eventCallbackUrl="menu""#;
        jitter_buffer_size(JitterBufferSize::Off) => r#"jitterBufferSize="off""#;
        max_participants(42) => r#"maxParticipants="42""#;
        muted(true) => r#"muted="true""#;
        participant_label("v") => r#"participantLabel="v""#;
        record(ConferenceRecord::RecordFromStart) => r#"record="record-from-start""#;
        recording_configuration_id("v") => r#"recordingConfigurationId="v""#;
        recording_status_callback("menu") => r#"recordingStatusCallback="menu""#;
        recording_status_callback_event([RecordingEvent::InProgress, RecordingEvent::Completed]) => r#"recordingStatusCallbackEvent="in-progress completed""#;
        recording_status_callback_method(Method::Post) => r#"recordingStatusCallbackMethod="POST""#;
        region(ConferenceRegion::DE1) => r#"region="de1""#;
        start_conference_on_enter(true) => r#"startConferenceOnEnter="true""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([ConferenceEvent::Start, ConferenceEvent::End]) => r#"statusCallbackEvent="start end""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        trim(Trim::DoNotTrim) => r#"trim="do-not-trim""#;
        wait_method(Method::Post) => r#"waitMethod="POST""#;
        wait_url("menu") => r#"waitUrl="menu""#;
    }
}

#[test]
fn voice_task() {
    attributes! { Task::new("v"), "<Task", ">v</Task>";
        priority(42) => r#"priority="42""#;
        timeout(42) => r#"timeout="42""#;
    }
}

#[test]
fn voice_recording() {
    attributes! { Recording::new(), "<Recording", "/>";
        channels(RecordingChannels::Dual) => r#"channels="dual""#;
        recording_configuration_id("v") => r#"recordingConfigurationId="v""#;
        recording_status_callback("menu") => r#"recordingStatusCallback="menu""#;
        recording_status_callback_event([RecordingEvent::InProgress, RecordingEvent::Completed]) => r#"recordingStatusCallbackEvent="in-progress completed""#;
        recording_status_callback_method(Method::Post) => r#"recordingStatusCallbackMethod="POST""#;
        track(RecordingTrack::Both) => r#"track="both""#;
        trim(Trim::DoNotTrim) => r#"trim="do-not-trim""#;
    }
}

#[test]
fn voice_conversation() {
    attributes! { Conversation::new(), "<Conversation", "/>";
        inbound_autocreation(true) => r#"inboundAutocreation="true""#;
        inbound_timeout(42) => r#"inboundTimeout="42""#;
        method(Method::Post) => r#"method="POST""#;
        record(ConversationRecord::False) => r#"record="false""#;
        recording_status_callback("menu") => r#"recordingStatusCallback="menu""#;
        recording_status_callback_event([RecordingEvent::InProgress, RecordingEvent::Completed]) => r#"recordingStatusCallbackEvent="in-progress completed""#;
        recording_status_callback_method(Method::Post) => r#"recordingStatusCallbackMethod="POST""#;
        routing_assignment_timeout(42) => r#"routingAssignmentTimeout="42""#;
        service_instance_sid("v") => r#"serviceInstanceSid="v""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_event([ConversationEvent::CallInitiated, ConversationEvent::CallRinging]) => r#"statusCallbackEvent="call-initiated call-ringing""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        trim(Trim::DoNotTrim) => r#"trim="do-not-trim""#;
        url("menu") => r#"url="menu""#;
    }
}

#[test]
fn voice_room() {
    attributes! { Room::new("v"), "<Room", ">v</Room>";
        participant_identity("v") => r#"participantIdentity="v""#;
    }
}

#[test]
fn voice_virtual_agent() {
    attributes! { VirtualAgent::new(), "<VirtualAgent", "/>";
        connector_name("v") => r#"connectorName="v""#;
        language("v") => r#"language="v""#;
        sentiment_analysis(true) => r#"sentimentAnalysis="true""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
    }
}

#[test]
fn voice_config() {
    attributes! { Config::new(), "<Config", "/>";
        name("v") => r#"name="v""#;
        value("v") => r#"value="v""#;
    }
}

#[test]
fn voice_ai_session() {
    attributes! { AiSession::new(), "<AiSession", "/>";
        ai_connector("v") => r#"aiConnector="v""#;
        ai_session_configuration("v") => r#"aiSessionConfiguration="v""#;
    }
}

#[test]
fn voice_conversation_relay_session() {
    attributes! { ConversationRelaySession::new(), "<ConversationRelaySession", "/>";
        connector("v") => r#"connector="v""#;
        session_configuration("v") => r#"sessionConfiguration="v""#;
    }
}

#[test]
fn voice_conversation_relay() {
    attributes! { ConversationRelay::new(), "<ConversationRelay", "/>";
        application_reconnect(true) => r#"applicationReconnect="true""#;
        asr_smart_format(true) => r#"asrSmartFormat="true""#;
        background_noise_reduction("v") => r#"backgroundNoiseReduction="v""#;
        backgroundnoisereduction("v") => r#"backgroundnoisereduction="v""#;
        customer_name("v") => r#"customerName="v""#;
        debug("v") => r#"debug="v""#;
        deepgram_smart_format(true) => r#"deepgramSmartFormat="true""#;
        deepgramsmartformat("v") => r#"deepgramsmartformat="v""#;
        dtmf_detection(true) => r#"dtmfDetection="true""#;
        eager_eot_threshold(0.5) => r#"eagerEotThreshold="0.5""#;
        echo_prompt_filtering(true) => r#"echoPromptFiltering="true""#;
        elevenlabs_language_text_normalization("v") => r#"elevenlabsLanguageTextNormalization="v""#;
        elevenlabs_text_normalization("v") => r#"elevenlabsTextNormalization="v""#;
        events("v") => r#"events="v""#;
        hints("v") => r#"hints="v""#;
        ignore_backchannel(true) => r#"ignoreBackchannel="true""#;
        ignorebackchannel("v") => r#"ignorebackchannel="v""#;
        include_in_prompt("v") => r#"includeInPrompt="v""#;
        intelligence_service("v") => r#"intelligenceService="v""#;
        interrupt_sensitivity(InterruptSensitivity::High) => r#"interruptSensitivity="high""#;
        interruptible(InterruptMode::FALSE) => r#"interruptible="false""#;
        language("v") => r#"language="v""#;
        partial_prompt_on_hangup(true) => r#"partialPromptOnHangup="true""#;
        partial_prompts(true) => r#"partialPrompts="true""#;
        preemptible(true) => r#"preemptible="true""#;
        profanity_filter(true) => r#"profanityFilter="true""#;
        report_input_during_agent_speech(true) => r#"reportInputDuringAgentSpeech="true""#;
        speech_model("v") => r#"speechModel="v""#;
        speech_timeout("v") => r#"speechTimeout="v""#;
        speechtimeout("v") => r#"speechtimeout="v""#;
        transcription_language("v") => r#"transcriptionLanguage="v""#;
        transcription_provider("v") => r#"transcriptionProvider="v""#;
        tts_language("v") => r#"ttsLanguage="v""#;
        tts_language_text_normalization(true) => r#"ttsLanguageTextNormalization="true""#;
        tts_provider("v") => r#"ttsProvider="v""#;
        tts_text_normalization(OnOffAuto::Off) => r#"ttsTextNormalization="off""#;
        turn_detection(true) => r#"turnDetection="true""#;
        url("wss://v") => r#"url="wss://v""#;
        voice("v") => r#"voice="v""#;
        welcome_greeting("v") => r#"welcomeGreeting="v""#;
        welcome_greeting_interruptible(InterruptMode::FALSE) => r#"welcomeGreetingInterruptible="false""#;
    }
}

#[test]
fn voice_language() {
    attributes! { Language::new(), "<Language", "/>";
        asr_smart_format("v") => r#"asrSmartFormat="v""#;
        code("v") => r#"code="v""#;
        hints("v") => r#"hints="v""#;
        speech_model("v") => r#"speechModel="v""#;
        transcription_provider("v") => r#"transcriptionProvider="v""#;
        tts_language_text_normalization("v") => r#"ttsLanguageTextNormalization="v""#;
        tts_provider("v") => r#"ttsProvider="v""#;
        tts_text_normalization(OnOffAuto::Off) => r#"ttsTextNormalization="off""#;
        voice("v") => r#"voice="v""#;
    }
}

#[test]
fn voice_stream() {
    attributes! { Stream::new(), "<Stream", "/>";
        audio_format("v") => r#"audioFormat="v""#;
        connector_name("v") => r#"connectorName="v""#;
        name("v") => r#"name="v""#;
        sample_rate("v") => r#"sampleRate="v""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        track(Track::BothTracks) => r#"track="both_tracks""#;
        url("wss://v") => r#"url="wss://v""#;
    }
}

#[test]
fn voice_siprec() {
    attributes! { Siprec::new(), "<Siprec", "/>";
        connector_name("v") => r#"connectorName="v""#;
        name("v") => r#"name="v""#;
        status_callback("menu") => r#"statusCallback="menu""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        track(Track::BothTracks) => r#"track="both_tracks""#;
    }
}

#[test]
fn voice_transcription() {
    attributes! { Transcription::new(), "<Transcription", "/>";
        conversation_configuration("v") => r#"conversationConfiguration="v""#;
        conversation_id("v") => r#"conversationId="v""#;
        enable_automatic_punctuation(true) => r#"enableAutomaticPunctuation="true""#;
        enable_provider_data(true) => r#"enableProviderData="true""#;
        hints("v") => r#"hints="v""#;
        inbound_track_label("v") => r#"inboundTrackLabel="v""#;
        intelligence_service("v") => r#"intelligenceService="v""#;
        language_code("v") => r#"languageCode="v""#;
        name("v") => r#"name="v""#;
        outbound_track_label("v") => r#"outboundTrackLabel="v""#;
        partial_results(true) => r#"partialResults="true""#;
        profanity_filter(true) => r#"profanityFilter="true""#;
        speech_model("v") => r#"speechModel="v""#;
        status_callback_method(Method::Post) => r#"statusCallbackMethod="POST""#;
        status_callback_url("menu") => r#"statusCallbackUrl="menu""#;
        track(Track::BothTracks) => r#"track="both_tracks""#;
        transcription_engine("v") => r#"transcriptionEngine="v""#;
    }
}

#[test]
fn voice_ssml_break() {
    attributes! { ssml::Break::new(), "<break", "/>";
        strength(SsmlBreakStrength::XStrong) => r#"strength="x-strong""#;
        time("v") => r#"time="v""#;
    }
}

#[test]
fn voice_ssml_emphasis() {
    attributes! { ssml::Emphasis::new("v"), "<emphasis", ">v</emphasis>";
        level(SsmlEmphasisLevel::Reduced) => r#"level="reduced""#;
    }
}

#[test]
fn voice_ssml_w() {
    attributes! { ssml::W::new("v"), "<w", ">v</w>";
        role("v") => r#"role="v""#;
    }
}

#[test]
fn voice_ssml_phoneme() {
    attributes! { ssml::Phoneme::new("v"), "<phoneme", ">v</phoneme>";
        alphabet(SsmlPhonemeAlphabet::XAmazonYomigana) => r#"alphabet="x-amazon-yomigana""#;
        ph("v") => r#"ph="v""#;
    }
}

#[test]
fn voice_ssml_say_as() {
    attributes! { ssml::SayAs::new("v"), "<say-as", ">v</say-as>";
        format(SsmlSayAsFormat::Yyyymmdd) => r#"format="yyyymmdd""#;
        interpret_as(SsmlSayAsInterpretAs::Telephone) => r#"interpret-as="telephone""#;
    }
}

#[test]
fn voice_ssml_sub() {
    attributes! { ssml::Sub::new("v"), "<sub", ">v</sub>";
        alias("v") => r#"alias="v""#;
    }
}

#[test]
fn voice_ssml_lang() {
    attributes! { ssml::Lang::new("v"), "<lang", ">v</lang>";
        xml_lang(SsmlLanguage::YUE_CN) => r#"xml:lang="yue-CN""#;
    }
}

#[test]
fn voice_ssml_prosody() {
    attributes! { ssml::Prosody::new("v"), "<prosody", ">v</prosody>";
        pitch(ProsodyPitch::X_HIGH) => r#"pitch="x-high""#;
        rate(ProsodyRate::X_FAST) => r#"rate="x-fast""#;
        volume(ProsodyVolume::X_LOUD) => r#"volume="x-loud""#;
    }
}
